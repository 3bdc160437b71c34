//! THE CHECK of the whole: what no single value can be wrong about alone.
use crate::tree::{Node, Value};
use crate::{Book, Refused};

/// Refuses a book whose parts contradict each other.
pub(crate) fn check(book: &Book) -> Result<(), Refused> {
    let checks = [times, shares, limits, grading, recovery, weights, formulas, identities, keys];
    checks.iter().try_for_each(|check| check(book))
}

fn file<'a>(book: &'a Book, name: &str) -> Result<&'a Node, Refused> {
    let found = book.trees.iter().find(|tree| tree.file_name() == name);
    found.ok_or_else(|| Refused::new(name, 1, "", "the file is missing"))
}

/// The node of `path` in the row of `list` that has this index, or the nearest there is.
fn row<'a>(tree: &'a Node, list: &str, index: usize, path: &str) -> &'a Node {
    let row = tree.get(list).and_then(|rows| rows.list().get(index)).unwrap_or(tree);
    row.at(path).unwrap_or(row)
}

/// What comes first is not later than what comes after, and a graver grade has no more time than a lighter one.
fn times(book: &Book) -> Result<(), Refused> {
    let tree = file(book, "incidents/grades.yaml")?;
    let grades = &book.incident_grades.grades;
    for (index, grade) in grades.iter().enumerate() {
        let refuse =
            |field: &str, why: String| Err(row(tree, "grades", index, field).refuse(format!("grades[{index}].{field}"), why));
        if grade.response_minutes.value > grade.recovery_minutes.value {
            return refuse("response_minutes", format!("{} 先恢复、后响应", grade.grade));
        }
        if grade.update_minutes.value > grade.recovery_minutes.value {
            return refuse("update_minutes", format!("{} 在恢复之前没有一次进展通报", grade.grade));
        }
        if grade.onsite_resident_minutes.value > grade.onsite_other_minutes.value {
            return refuse("onsite_resident_minutes", format!("{} 驻场人员比非驻场人员晚到", grade.grade));
        }
        if index > 0 && grade.response_minutes.value < grades[index - 1].response_minutes.value {
            return refuse("response_minutes", format!("{} 比更重的级别更急", grade.grade));
        }
        if index > 0 && grade.recovery_minutes.value < grades[index - 1].recovery_minutes.value {
            return refuse("recovery_minutes", format!("{} 比更重的级别更急", grade.grade));
        }
    }
    let tree = file(book, "tickets/grades.yaml")?;
    let grades = &book.ticket_grades.grades;
    for (index, grade) in grades.iter().enumerate() {
        let refuse =
            |field: &str, why: String| Err(row(tree, "grades", index, field).refuse(format!("grades[{index}].{field}"), why));
        if grade.response_minutes.get() > grade.resolve_hours.get() * 60 {
            return refuse("response_minutes", format!("{} 先解决、后响应", grade.grade));
        }
        if index > 0 && grade.response_minutes.value < grades[index - 1].response_minutes.value {
            return refuse("response_minutes", format!("{} 比更高的优先级更急", grade.grade));
        }
        if index > 0 && grade.resolve_hours.value < grades[index - 1].resolve_hours.value {
            return refuse("resolve_hours", format!("{} 比更高的优先级更急", grade.grade));
        }
    }
    Ok(())
}

/// Warnings come before the escalation, and each step of it after the one before.
fn shares(book: &Book) -> Result<(), Refused> {
    let tree = file(book, "tickets/states.yaml")?;
    let states = &book.ticket_states;
    let rising = states.warn_at_percent.windows(2).all(|pair| pair[0] < pair[1]);
    if !rising || states.warn_at_percent.iter().any(|warn| *warn > states.escalate_at_percent.value) {
        return Err(tree.at("warn_at_percent").unwrap_or(tree).refuse("warn_at_percent", "预警点要逐个升高，且不晚于升级点"));
    }
    for (index, pair) in states.escalation.windows(2).enumerate() {
        if pair[0].at_percent.value >= pair[1].at_percent.value {
            let at = row(tree, "escalation", index + 1, "at_percent");
            return Err(at.refuse(format!("escalation[{}].at_percent", index + 1), "逐级升级的时点要逐个升高"));
        }
    }
    Ok(())
}

/// Limits of checks and metrics lie in order, and a number has one.
fn limits(book: &Book) -> Result<(), Refused> {
    for device in &book.devices {
        let tree = file(book, &format!("devices/{}.yaml", device.class.code))?;
        for (index, item) in device.items.iter().enumerate() {
            for (at, check) in item.checks.iter().enumerate() {
                let node = row(tree, "items", index, "checks").list().get(at).unwrap_or(tree);
                let refuse = |field: &str, why: &str| {
                    Err(node.get(field).unwrap_or(node).refuse(format!("items[{index}].checks[{at}].{field}"), why))
                };
                let value = |limit: &Option<crate::Marked<f64>>| limit.as_ref().map(|limit| limit.value);
                let (min, max) = (value(&check.pass_min), value(&check.pass_max));
                if min.zip(max).is_some_and(|(min, max)| min > max) {
                    return refuse("pass_min", "没有能合格的数值");
                }
                if value(&check.fail_below).zip(min).is_some_and(|(fail, min)| fail > min) {
                    return refuse("fail_below", "合格的数值又不合格");
                }
                if value(&check.fail_above).zip(max).is_some_and(|(fail, max)| fail < max) {
                    return refuse("fail_above", "合格的数值又不合格");
                }
                let limited = min.or(max).is_some() || check.limit_reason.is_some();
                match check.kind.as_str() {
                    "number" if !limited => return refuse("kind", "数值没有限值，也没有说明原因"),
                    "number" if check.unit.is_none() => return refuse("kind", "数值没有单位"),
                    "state" if check.pass_states.is_none() => return refuse("kind", "没有合格的状态"),
                    "boolean" if check.pass_value.is_none() => return refuse("kind", "没有合格的值"),
                    "number" | "state" | "boolean" => {}
                    _ => return refuse("kind", "没有这种检查"),
                }
            }
        }
        for (index, metric) in device.metrics.iter().flatten().enumerate() {
            let wrong = match (metric.direction.as_str(), *metric.warn, *metric.crit) {
                ("high", Some(warn), Some(crit)) => warn > crit,
                ("low", Some(warn), Some(crit)) => warn < crit,
                _ => false,
            };
            if wrong {
                return Err(row(tree, "metrics", index, "warn").refuse(format!("metrics[{index}].warn"), "严重先于预警"));
            }
        }
    }
    Ok(())
}

/// Every score has a grade.
fn grading(book: &Book) -> Result<(), Refused> {
    let tree = file(book, "incidents/grading.yaml")?;
    let mapping = &book.grading.mapping;
    for (index, pair) in mapping.windows(2).enumerate() {
        if pair[0].min.value <= pair[1].min.value {
            return Err(row(tree, "mapping", index + 1, "min").refuse(format!("mapping[{}].min", index + 1), "分值要逐行降低"));
        }
    }
    Ok(())
}

/// Every category has its recovery times, and a graver grade has no more time.
fn recovery(book: &Book) -> Result<(), Refused> {
    let tree = file(book, "incidents/recovery.yaml")?;
    for (index, one) in book.recovery.rows.iter().enumerate() {
        let times = [&one.minutes.one, &one.minutes.two, &one.minutes.three, &one.minutes.four];
        if times.windows(2).any(|pair| pair[0].value > pair[1].value) {
            return Err(row(tree, "rows", index, "minutes").refuse(format!("rows[{index}].minutes"), "更轻的级别比更重的更急"));
        }
    }
    let missing = book
        .incident_categories
        .categories
        .iter()
        .find(|one| !book.recovery.rows.iter().any(|row| row.category == one.code.as_str()));
    match missing {
        Some(category) => Err(tree.at("rows").unwrap_or(tree).refuse("rows", format!("{} 没有恢复时间", category.code))),
        None => Ok(()),
    }
}

/// The weights of each class of staff, and of B.2, make up the full mark.
fn weights(book: &Book) -> Result<(), Refused> {
    let tree = file(book, "evaluation/b1.yaml")?;
    let of = |pick: fn(&crate::evaluation::Weights) -> u32| book.b1.indicators.iter().map(|one| pick(&one.weight)).sum::<u32>();
    let sums = [
        of(|weights| weights.management.as_ref().map_or(0, |weight| weight.value)),
        of(|weights| weights.technical.as_ref().map_or(0, |weight| weight.value)),
        of(|weights| weights.operation.as_ref().map_or(0, |weight| weight.value)),
    ];
    if sums.iter().any(|sum| *sum != book.b1.full_mark.value) {
        return Err(tree.at("full_mark").unwrap_or(tree).refuse("full_mark", format!("三类人员的权重之和是{sums:?}，不是满分")));
    }
    let tree = file(book, "evaluation/b2.yaml")?;
    let sum: u32 = book.b2.indicators.iter().map(|one| one.weight.value).sum();
    if sum != book.b2.full_mark.value {
        return Err(tree.at("full_mark").unwrap_or(tree).refuse("full_mark", format!("权重之和是{sum}，不是满分")));
    }
    Ok(())
}

/// A formula uses the inputs that it names, and no others.
fn formulas(book: &Book) -> Result<(), Refused> {
    for name in ["evaluation/b1.yaml", "evaluation/b2.yaml"] {
        let tree = file(book, name)?;
        for (index, one) in tree.get("indicators").map(Node::list).unwrap_or_default().iter().enumerate() {
            let (Some(formula), Some(inputs)) = (one.get("formula"), one.get("inputs")) else { continue };
            let text = formula.text().unwrap_or_default();
            let used: Vec<&str> = text
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .filter(|word| {
                    word.starts_with(|c: char| c.is_ascii_lowercase())
                        && !matches!(*word, "weight" | "max" | "min" | "if" | "else" | "and" | "or")
                })
                .collect();
            let named: Vec<&str> = inputs.list().iter().filter_map(Node::text).collect();
            if let Some(word) = used.iter().find(|word| !named.contains(word)) {
                return Err(formula.refuse(format!("indicators[{index}].formula"), format!("公式用到了没有列出的输入{word}")));
            }
            if let Some(word) = named.iter().find(|word| !used.contains(word)) {
                return Err(inputs.refuse(format!("indicators[{index}].inputs"), format!("公式没有用到输入{word}")));
            }
        }
    }
    Ok(())
}

/// An item is named once in the whole book.
fn identities(book: &Book) -> Result<(), Refused> {
    let mut seen = std::collections::HashSet::new();
    for tree in book.trees.iter().filter(|tree| tree.file_name().starts_with("devices/")) {
        for (index, item) in tree.get("items").map(Node::list).unwrap_or_default().iter().enumerate() {
            let id = item.get("id").unwrap_or(item);
            if !seen.insert(id.text()) {
                return Err(id.refuse(format!("items[{index}].id"), "another device class has this item already"));
            }
        }
    }
    Ok(())
}

/// Every key has its Chinese.
fn keys(book: &Book) -> Result<(), Refused> {
    let known: std::collections::HashSet<&str> = book.keys.keys.iter().map(|key| key.key.as_str()).collect();
    fn walk(node: &Node, path: &str, known: &std::collections::HashSet<&str>) -> Result<(), Refused> {
        match &node.value {
            Value::List(list) => {
                list.iter().enumerate().try_for_each(|(index, one)| walk(one, &format!("{path}[{index}]"), known))
            }
            Value::Map(entries) => entries.iter().try_for_each(|entry| {
                let path = format!("{path}.{}", entry.key);
                match known.contains(entry.key.as_str()) {
                    true => walk(&entry.value, &path, known),
                    false => Err(Refused::new(
                        node.file.as_ref(),
                        entry.line,
                        path.trim_start_matches('.'),
                        "keys.yaml没有这个键的中文",
                    )),
                }
            }),
            _ => Ok(()),
        }
    }
    book.trees.iter().try_for_each(|tree| walk(tree, "", &known))
}

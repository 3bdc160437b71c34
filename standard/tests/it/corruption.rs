//! Corrupted procedures: each is refused with file, line and field, and none makes the reader panic.
use standard::Refused;
use standard::procedure::{FILES, Procedures};

fn read(file: &str, text: &str) -> Result<Procedures, Refused> {
    Procedures::read([(file, text)])
}

/// Changes the `nth` line that contains `from`; gives the text and the number of that line.
fn changed(text: &str, nth: usize, from: &str, to: &str) -> Option<(String, u64)> {
    let at = text.lines().enumerate().filter(|(_, line)| line.contains(from)).nth(nth)?.0;
    let lines: Vec<String> =
        text.lines().enumerate().map(|(n, line)| if n == at { line.replacen(from, to, 1) } else { line.to_owned() }).collect();
    Some((lines.join("\n") + "\n", at as u64 + 1))
}

/// What to put in place of what, and how many lines from there the refusal may point (a clause found twice, for instance, is refused at the
/// second; an unknown field at its key or its value).
const CORRUPTIONS: &[(&str, &str)] = &[
    ("code: SV", "cod: SV"),
    ("service: ", "service: 9."),
    ("  ticket_grade: P", "  ticket_grade: Q"),
    ("complete_work_hours: ", "complete_work_hours: -"),
    ("- clause: ", "- clause: 7.9."),
    ("- clause: ", "- clause: x"),
    ("- clause: 7", "- clause: 8"),
    ("- clause: ", "- Clause: "),
    ("- kind: record", "- kind: diary"),
    ("- kind: plan", "- kind: none"),
    ("- kind: test", "- kind: [test]"),
    ("- kind: ", "- sort: "),
    ("  words: ", "  words: 原文没有的话"),
    ("  words: ", "  word: "),
    ("  words: ", "  words: 1x "),
    ("with: {all: [", "with: {all: [nobody, "),
    ("with: {all: [", "with: {some: ["),
    ("with: {all: [", "with: {any: [user], all: ["),
    ("with: {all: [consumer]", "with: {all: []"),
    ("    - {key: ", "    - {zh: 甲, key: "),
    (", en: ", ", de: "),
    (", zh: ", ", zh: 原文没有的话"),
    ("modes: {all: [", "modes: {all: [on_site, on_site, "),
    ("modes: {all: [", "modes: {none: ["),
    ("modes: {any: [", "modes: {any: [], x: ["),
    ("when: {asked: ", "when: {mode: remote, asked: "),
    ("when: {asked: ", "when: {guessed: "),
    ("when: {mode: remote", "when: {mode: by_post"),
    ("when: {row: [RR-", "when: {row: [], x: [RR-"),
    ("mode: sequence", "mode: chaos"),
    ("mode: sequence", "mode: exclusive"),
    ("mode: parallel", "mode: exclusive"),
    ("continuing: ", "continuing: 从不"),
    ("after: [", "after: [7.9.9, "),
    ("mark: product_default", "mark: standard"),
    ("mark: product_default", "marks: product_default"),
    ("steps:", "steps: none"),
    ("defaults:", "defaults: []"),
    ("name: {zh: ", "name: {zh: 一, zh: "),
    ("code: ", "\tcode: "),
    ("clause: ", "clause: \""),
    ("gates:", "gates: {}"),
    ("- kind: ", "- - kind: "),
];

#[test]
fn two_hundred_corruptions_are_each_refused_at_their_line() {
    let (mut count, mut wrong) = (0, Vec::new());
    for (from, to) in CORRUPTIONS {
        // Each is done to the first and second fitting line of every procedure, up to eight times.
        let places = FILES.iter().flat_map(|(file, text)| [0, 1].map(|nth| (file, changed(text, nth, from, to))));
        let mut done = 0;
        for (file, (text, line)) in places.filter_map(|(file, change)| Some((file, change?))).take(8) {
            match read(file, &text) {
                Ok(_) => wrong.push(format!("{file}:{line}: “{from}” became “{to}” and nobody minded")),
                Err(refused) if refused.file != *file || refused.line.abs_diff(line) > 1 || refused.why.is_empty() => {
                    wrong.push(format!("{file}:{line}: “{from}” became “{to}”, but: {refused}"));
                }
                Err(_) => {}
            }
            done += 1;
        }
        assert!(done > 0, "no procedure has “{from}”");
        count += done;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count >= 200, "{count}");
}

/// A procedure that one can change at will.
const SMALL: &str = "\
code: SV-SMALL
clause: 7.4.3
service: 7.4.3
name: {zh: 设备安装部署, en: Deployment}
defaults: {ticket_grade: P4, complete_work_hours: 1}
steps:
- clause: 7.4.3.1
  gates:
  - kind: record
    mark: product_default
- clause: 7.4.3.2
- clause: 7.4.3.3
  substeps:
    mode: sequence
    mark: product_default
    items:
    - clause: 7.4.3.3.a
    - clause: 7.4.3.3.b
";

#[test]
fn nonsense_is_refused_with_line_and_field() {
    read("small", SMALL).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(SMALL.contains(from));
        let refused = read("small", &SMALL.replacen(from, to, 1)).unwrap_err();
        (refused.line, refused.field, refused.why)
    };
    let is = |(line, field, why): (u64, String, String), at: u64, of: &str, because: &str| {
        assert!((line, field.as_str()) == (at, of) && why.contains(because), "{line}: {field}: {why}");
    };
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.1"), 11, "steps[1].clause", "is a step already");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.9"), 11, "steps[1].clause", "there is no clause 7.4.3.9");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.4.2"), 11, "steps[1].clause", "7.4.4.2 is not below 7.4.3");
    is(refused("clause: 7.4.3.3.b", "clause: 7.4.5.1.3.b"), 18, "steps[4].clause", "7.4.5.1.3.b is not below 7.4.3.3");
    is(refused("clause: 7.4.3\n", "clause: 7.9\n"), 2, "clause", "there is no clause 7.9");
    is(refused("service: 7.4.3", "service: 7.4.4"), 3, "service", "7.4.3 is not below 7.4.4");
    is(refused("P4", "P6"), 5, "ticket_grade", "there is no ticket grade P6");
    is(refused("hours: 1", "hours: 0"), 5, "complete_work_hours", "no time");
    is(
        refused("    mark: product_default\n- ", "    words: 设备\n    mark: product_default\n- "),
        10,
        "steps[0].gates[0].words",
        "no product default",
    );
    is(refused("    mark: product_default\n- ", "- "), 9, "steps[0].gates[0].words", "give the words");
    is(refused("    mark: product_default\n- ", "    words: ''\n- "), 10, "steps[0].gates[0].words", "does not say");
    is(refused("kind: record", "kind: review"), 9, "steps[0].gates[0].with", "a review needs a party");
    is(refused("kind: record", "kind: notification"), 9, "steps[0].gates[0].with", "a notification needs a party");
    is(refused("kind: record", "kind: record\n    with: {all: []}"), 10, "steps[0].gates[0].with", "names no party");
    is(refused("kind: record", "kind: record\n    with: {words: 使用方}"), 10, "steps[0].gates[0].with", "either all or any");
    let twice = "kind: record\n    mark: product_default\n  - kind: record";
    is(refused("kind: record", twice), 11, "steps[0].gates[1].kind", "has a record gate already");
    let content = "kind: record\n    contents: [{key: a, zh: 设备, en: a}, {key: a, zh: 设备, en: a}]";
    is(refused("kind: record", content), 10, "steps[0].gates[0].contents", "a stands there already");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  after: [7.4.3.2]"), 12, "steps[1].after", "waits for itself");
    is(
        refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  after: [7.4.3.3.a]"),
        12,
        "steps[1].after",
        "7.4.3.3.a is not beside it",
    );
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  after: [7.4.3.3]"), 12, "steps[1].after", "its turn never comes");
    let goes_on = "- clause: 7.4.3.1\n  continuing: 设备";
    is(refused("- clause: 7.4.3.1", goes_on), 8, "steps[0].continuing", "it can have no gates");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  continuing: 持续"), 12, "steps[1].continuing", "does not say");
    is(refused("    - clause: 7.4.3.3.b\n", ""), 14, "steps[2].substeps", "at least two items");
    is(refused("mode: sequence", "mode: exclusive"), 14, "steps[2].substeps", "no decision table");
    let table = "- clause: 7.4.3.3\n  decision: {table: t, rows_without_substep: [A]}";
    is(refused("- clause: 7.4.3.3", table), 13, "steps[2].decision", "exclude each other");
    let nested = "- clause: 7.4.3.3.a\n      substeps: {mode: any, mark: product_default, items: [{clause: 7.4.3.3.a.1}]}";
    is(refused("- clause: 7.4.3.3.a", nested), 18, "steps[3].substeps", "at least two items");
    is(
        refused(
            "  - kind: record\n    mark: product_default\n",
            "  - kind: record\n    mark: product_default\n    when: {mode: remote, zh: 设备, en: a}\n",
        ),
        11,
        "steps[0].gates[0].when",
        "no mode remote",
    );
    is(
        refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  when: {mode: remote, zh: 设备, en: a}"),
        12,
        "steps[1].when",
        "only when the step has begun",
    );
    is(
        refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  when: {row: [A], zh: 设备, en: a}"),
        12,
        "steps[1].when",
        "no decision table",
    );
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  when: {asked: '', zh: 设备, en: a}"), 12, "steps[1].when", "no key");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  modes: {any: [], words: 设备}"), 12, "steps[1].modes", "at least one");
    is(refused("- clause: 7.4.3.2", "- clause: 7.4.3.2\n  modes: {any: [a], words: 现场}"), 12, "steps[1].modes", "does not say");
}

#[test]
fn a_procedure_without_steps_without_a_turn_or_without_an_end_is_refused() {
    let (head, _) = SMALL.split_once("steps:").unwrap();
    let refused = |steps: &str| read("small", &format!("{head}{steps}")).unwrap_err().to_string();
    assert_eq!(refused("steps: []\n"), "small:6: steps: there are none");
    let on = "steps:\n- clause: 7.4.3.1\n  continuing: 设备\n- clause: 7.4.3.2\n  continuing: 方案\n";
    assert_eq!(refused(on), "small:7: steps: it has no end: every step goes on");
    let round = "steps:\n- clause: 7.4.3.1\n  after: [7.4.3.2]\n- clause: 7.4.3.2\n";
    assert_eq!(refused(round), "small:8: steps[0].after: its turn never comes: steps wait for each other");
}

#[test]
fn the_rows_of_a_table_lead_to_one_item_each() {
    let (file, text) = FILES[11];
    let refused = |from: &str, to: &str| read(file, &text.replacen(from, to, 1)).unwrap_err();
    assert!(refused("[RR-B]", "[RR-A]").why.contains("leads to one item"));
    assert!(refused("[RR-B]", "[]").why.contains("leads to one item"));
    assert!(refused("[RR-B]", "[RR-X]").why.contains("leads to one item"));
    assert!(refused("when: {row: [RR-B]", "when: {asked: it").why.contains("no row of the table leads here"));
}

#[test]
fn the_same_clause_in_two_procedures_is_refused_at_its_line() {
    let other = SMALL.replacen("SV-SMALL", "SV-OTHER", 1);
    let refused = Procedures::read([("small", SMALL), ("other", &other)]).unwrap_err();
    assert_eq!(refused.to_string(), "other:7: clause: 7.4.3.1 is in SV-SMALL already");
}

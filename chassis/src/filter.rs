//! From a filter to SQL. A plural says which of its columns may be asked and what they are; values are always bound.
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use proto::{
    Invalid, Why,
    filter::{Comparison, Filter as Parsed},
    why,
};
use sqlx::{Postgres, QueryBuilder};

const FIELD: &str = "filter";

/// A field that may be asked.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// As the `.proto` spells it.
    pub field: &'static str,
    /// The SQL of its value; never null.
    pub sql: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a field is, and so how it may be compared.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Any text: equal, not equal, or containing.
    Text,
    /// One of these words: equal or not equal.
    Words(&'static [&'static str]),
    /// A whole number.
    Number,
    /// A moment, RFC 3339.
    Moment,
}

/// A filter whose fields, comparisons and values are known to fit.
#[derive(Debug, Clone, Default)]
pub struct Filter(Option<Node>);

#[derive(Debug, Clone)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Is { sql: &'static str, operator: &'static str, value: Value },
    Has { sql: &'static str, text: String },
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Number(i64),
    Moment(Timestamp),
}

impl Filter {
    /// Reads the `filter` of a request; what does not fit the columns is refused with what would.
    pub fn read(text: &str, columns: &'static [Column]) -> Result<Self, Invalid> {
        Ok(Self(Parsed::parse(FIELD, text)?.map(|parsed| node(parsed, columns)).transpose()?))
    }

    /// Adds ` AND (…)` to a query that has its WHERE.
    pub fn push(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(node) = &self.0 {
            query.push(" AND ");
            push(node, query);
        }
    }
}

fn node(parsed: Parsed, columns: &'static [Column]) -> Result<Node, Invalid> {
    let nodes = |parts: Vec<Parsed>| parts.into_iter().map(|part| node(part, columns)).collect::<Result<Vec<_>, _>>();
    match parsed {
        Parsed::All(parts) => Ok(Node::All(nodes(parts)?)),
        Parsed::Any(parts) => Ok(Node::Any(nodes(parts)?)),
        Parsed::Not(inner) => Ok(Node::Not(Box::new(node(*inner, columns)?))),
        Parsed::Is { field, comparison, value } => {
            let column = columns.iter().find(|column| column.field == field).ok_or_else(|| {
                let known: Vec<&str> = columns.iter().map(|column| column.field).collect();
                let known = known.join(", ");
                Invalid::new(
                    FIELD,
                    why!("`{field}` cannot be asked; these can: {known}", "“{field}”不可用于筛选，可用的有：{known}"),
                )
            })?;
            restriction(column, comparison, value)
        }
    }
}

fn restriction(column: &Column, comparison: Comparison, value: String) -> Result<Node, Invalid> {
    let Column { field, sql, kind } = *column;
    let unfit = |why: Why| Err(Invalid::new(FIELD, why));
    let operator = match (comparison, kind) {
        (Comparison::Has, Kind::Text) => return Ok(Node::Has { sql, text: value }),
        (Comparison::Equal, _) => "=",
        (Comparison::NotEqual, _) => "<>",
        (Comparison::Less, Kind::Number | Kind::Moment) => "<",
        (Comparison::LessOrEqual, Kind::Number | Kind::Moment) => "<=",
        (Comparison::Greater, Kind::Number | Kind::Moment) => ">",
        (Comparison::GreaterOrEqual, Kind::Number | Kind::Moment) => ">=",
        (_, Kind::Text) => return unfit(why!("`{field}` is compared by =, != or `:`", "“{field}”用 =、!= 或“:”比较")),
        (_, Kind::Words(_)) => return unfit(why!("`{field}` is compared by = or !=", "“{field}”用 = 或 != 比较")),
        (Comparison::Has, _) => {
            return unfit(why!("`{field}` contains nothing; compare it", "“{field}”没有“包含”关系，请用大小比较"));
        }
    };
    let wrong = |Why { en, zh }: Why| Invalid::new(FIELD, why!("`{field}` is compared with {en}", "“{field}”须与{zh}比较"));
    let value = match kind {
        Kind::Text => Value::Text(value),
        Kind::Words(words) if words.contains(&value.as_str()) => Value::Text(value),
        Kind::Words(words) => return Err(wrong(Why::new(words.join(", "), format_args!(" {} 之一", words.join("、"))))),
        Kind::Number => Value::Number(value.parse().map_err(|_| wrong(why!("a whole number", "整数")))?),
        Kind::Moment => Value::Moment(value.parse().map_err(|_| wrong(moment()))?),
    };
    Ok(Node::Is { sql, operator, value })
}

/// What a moment is compared with.
fn moment() -> Why {
    why!(r#"a moment like "2026-11-28T09:00:00+08:00""#, r#"形如 "2026-11-28T09:00:00+08:00" 的时刻"#)
}

fn push(node: &Node, query: &mut QueryBuilder<Postgres>) {
    match node {
        Node::All(parts) => join(parts, " AND ", query),
        Node::Any(parts) => join(parts, " OR ", query),
        Node::Not(inner) => {
            query.push("NOT ");
            push(inner, query);
        }
        Node::Is { sql, operator, value } => {
            query.push("(").push(*sql).push(" ").push(*operator).push(" ");
            match value {
                Value::Text(text) => query.push_bind(text.clone()),
                Value::Number(number) => query.push_bind(*number),
                Value::Moment(at) => query.push_bind(at.to_sqlx()),
            };
            query.push(")");
        }
        Node::Has { sql, text } => {
            query.push("(strpos(").push(*sql).push(", ").push_bind(text.clone()).push(") > 0)");
        }
    }
}

fn join(parts: &[Node], word: &'static str, query: &mut QueryBuilder<Postgres>) {
    query.push("(");
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            query.push(word);
        }
        push(part, query);
    }
    query.push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { field: "state", sql: "state::text", kind: Kind::Words(&["new", "closed"]) },
        Column { field: "title", sql: "title", kind: Kind::Text },
        Column { field: "times_seen", sql: "times_seen", kind: Kind::Number },
        Column { field: "open_time", sql: "opened_at", kind: Kind::Moment },
    ];

    fn sql(text: &str) -> String {
        let mut query = QueryBuilder::new("SELECT WHERE true");
        Filter::read(text, COLUMNS).unwrap().push(&mut query);
        query.sql().as_str().to_owned()
    }

    #[test]
    fn values_are_bound_and_never_spelled_into_the_query() {
        assert_eq!(sql(""), "SELECT WHERE true");
        assert_eq!(sql(r#"title = "'; DROP TABLE tickets; --""#), "SELECT WHERE true AND (title = $1)");
        assert_eq!(
            sql(r#"state = new AND (title : "x" OR NOT times_seen >= 3) AND open_time < "2026-11-28T00:00:00Z""#),
            "SELECT WHERE true AND ((state::text = $1) AND ((strpos(title, $2) > 0) OR NOT (times_seen >= $3)) AND (opened_at < $4))"
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let cases = [
            ("colour = red", "these can: state, title, times_seen, open_time"),
            ("state = gone", "new, closed"),
            ("state > new", "= or !="),
            ("title < a", "=, != or `:`"),
            ("times_seen = many", "a whole number"),
            ("times_seen : 3", "compare it"),
            ("open_time > yesterday", "a moment"),
        ];
        for (text, expected) in cases {
            let refused = Filter::read(text, COLUMNS).unwrap_err();
            assert_eq!(refused.field, "filter");
            assert!(refused.why.en.contains(expected), "{text}: {}", refused.why);
        }
    }
}

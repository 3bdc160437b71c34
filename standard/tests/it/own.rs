//! An organisation's own values: set by path, marked, compared, refused.
use standard::{Book, Refused, Status};

const OWN: &str = "organisation: 某某区政务局\nsource: 某发〔2026〕1号\nvalues:\n  incidents/grades.grades.I.response_minutes: 3\n  \
                   tickets/hotline.answer_seconds: 15\n";

fn with(text: &str) -> Result<Book, Refused> {
    Book::shipped().with("own.yaml", text.as_bytes())
}

#[test]
fn an_organisation_sets_a_value_and_it_says_so() {
    let book = with(OWN).unwrap();
    let time = &book.incident_grade("I").unwrap().response_minutes;
    assert_eq!((time.value.get(), time.mark.status), (3, Status::Organisation));
    assert!(time.mark.source.contains("某发〔2026〕1号"));
    assert_eq!(Book::shipped().incident_grade("I").unwrap().response_minutes.value.get(), 5);
}

#[test]
fn what_differs_is_told_in_chinese_and_by_structure() {
    let (shipped, book) = (Book::shipped(), with(OWN).unwrap());
    let found = shipped.diff(&book);
    let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["incidents/grades.grades.I.response_minutes", "tickets/hotline.answer_seconds"]);
    let text = shipped.explain(&found[0]);
    assert!(text.contains("响应时限（分钟）：5〔产品默认值") && text.contains("→ 3〔本单位设定"), "{text}");
    assert_eq!(found[0].after.as_ref().map(|side| (side.file.as_str(), side.line)), Some(("own.yaml", 4)));
    assert!(shipped.diff(shipped).is_empty());
}

#[test]
fn what_an_organisation_cannot_set_is_refused_with_its_line() {
    let refused = |value: &str| {
        let text = format!("organisation: 某局\nsource: 某号\nvalues:\n  {value}\n");
        let refused = with(&text).unwrap_err();
        assert_eq!((refused.file.as_str(), refused.line), ("own.yaml", 4), "{value}: {refused}");
        refused.why
    };
    assert!(refused("incidents/grades.grades.V.response_minutes: 3").contains("no such path"));
    assert!(refused("incidents/grades.grades.I.response_minutes: 0").contains("not possible"));
    assert!(refused("incidents/grades.grades.I.response_minutes: 3000").contains("先恢复"));
    assert!(refused("incidents/grades.grades.I.calendar: 9x9").contains("there is no"));
    assert!(refused("clauses/7.4.clauses.7.4.1.text: 改").contains("not for an organisation"));
    assert!(with("organisation: ''\nsource: 某号\nvalues: {}\n").is_err());
}

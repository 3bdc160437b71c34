//! Clauses: all are there, in order, with what the standard says.
use standard::{Book, Level, Status};

#[test]
fn the_book_has_every_unit_of_the_text() {
    let clauses = &Book::shipped().clauses;
    let of = |level| clauses.iter().filter(|clause| clause.level == level).count();
    assert_eq!(clauses.iter().count(), 333);
    assert_eq!(
        [of(Level::Clause), of(Level::Item), of(Level::TableRow), of(Level::Heading), of(Level::Element)],
        [155, 67, 58, 41, 12]
    );
    assert_eq!(clauses.obligations().count(), 292);
}

#[test]
fn a_clause_has_its_words_and_each_says_where_it_comes_from() {
    let clause = Book::shipped().clauses.get("7.4.1.6").unwrap();
    let text = clause.text.as_ref().unwrap();
    assert!(text.contains("用户"), "{text}");
    assert_eq!((text.mark.status, text.mark.source.as_str()), (Status::Standard, "standard:7.4.1.6"));
    assert_eq!(clause.obligation.mark.status, Status::Translation);
    assert_eq!(clause.evidence.mark.status, Status::ProductDefault);
}

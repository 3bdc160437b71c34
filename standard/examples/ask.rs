//! Asks the book: what a grade demands, how far that is the standard's, and which words a clause has.
use std::io::Write;

use standard::Book;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let book = Book::read(standard::FILES)?;
    let mut out = std::io::stdout().lock();
    let clause = book.clauses.get("7.4.2.4").ok_or("no such clause")?;
    if let Some(text) = &clause.text {
        writeln!(out, "{clause}：{text}")?;
    }
    for grade in &book.incident_grades.grades {
        writeln!(out, "{}级 {}：响应 {}", grade.grade, grade.name.zh.value, grade.response_minutes)?;
    }
    Ok(())
}

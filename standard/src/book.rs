//! THE BOOK as a whole: its files are read together, because they refer to each other.
use std::sync::LazyLock;

use crate::tree::{Known, Node};
use crate::{Clauses, FILES, Refused};

static SHIPPED: LazyLock<Book> = LazyLock::new(|| Book::read(FILES).expect("the shipped book is read by its own tests"));

/// The standard with everything that hangs on it.
#[derive(Debug, Clone)]
pub struct Book {
    /// Every unit of the text.
    pub clauses: Clauses,
}

impl Book {
    /// The book that is built in.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads a book from its files: names as in [`FILES`], and their bytes.
    ///
    /// # Errors
    /// The first thing that does not make sense, with its file, line and field.
    pub fn read(files: &[(&str, &[u8])]) -> Result<Self, Refused> {
        let mut trees = files.iter().map(|(name, bytes)| Node::read(name, bytes)).collect::<Result<Vec<_>, _>>()?;
        let mut known = Known::default();
        let ids = trees.iter().flat_map(|tree| tree.get("clauses").map(Node::list).unwrap_or_default());
        known.add("ClauseId", ids.filter_map(|row| row.get("id")?.text().map(str::to_owned)));
        trees.iter_mut().try_for_each(|tree| tree.give_marks(&known))?;
        Ok(Self { clauses: Clauses::read(&trees, &known)? })
    }
}

//! THE PARTS of a book: its files, read one by one, so that a file that changes is the only one that is read again.
//!
//! Source: ours: no clause says how the text is kept.
use crate::book::{is_file, known};
use crate::tree::Node;
use crate::{Book, Refused};

/// The files of a book, each well written in itself; whether they fit each other is not known yet.
#[derive(Debug, Clone, Default)]
pub struct Parts(Vec<Node>);

impl Parts {
    /// Reads files: names as in [`crate::FILES`], and their bytes.
    ///
    /// # Errors
    /// What is wrong with one of them, or a name that no book has or that is there twice, with file, line and field.
    pub fn read(files: &[(&str, &[u8])]) -> Result<Self, Refused> {
        let mut parts = Self::default();
        for (file, bytes) in files {
            if parts.0.iter().any(|part| part.file_name() == *file) {
                return Err(Refused::new(*file, 1, "", "the file is there twice"));
            }
            parts.put(file, bytes)?;
        }
        Ok(parts)
    }

    /// Reads a file into the place of the one of this name, or as a further one.
    ///
    /// # Errors
    /// What is wrong with it, with file, line and field; nothing has changed then.
    pub fn put(&mut self, file: &str, bytes: &[u8]) -> Result<(), Refused> {
        if !is_file(file) {
            return Err(Refused::new(file, 1, "", "a book has no file of this name"));
        }
        let node = Node::read(file, bytes)?;
        match self.0.iter_mut().find(|part| part.file_name() == file) {
            Some(part) => *part = node,
            None => self.0.push(node),
        }
        Ok(())
    }

    /// The book that they make.
    ///
    /// # Errors
    /// The first thing in which they do not fit each other, with file, line and field.
    pub fn book(&self) -> Result<Book, Refused> {
        let known = known(&self.0)?;
        let mut trees = self.0.clone();
        trees.iter_mut().try_for_each(|tree| tree.give_marks(&known))?;
        Book::of(trees, &known)
    }
}

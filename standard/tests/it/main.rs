//! THE TESTS of the book.
mod clauses;
mod tables;

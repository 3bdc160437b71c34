//! THE TESTS of the book.
mod bad;
mod clauses;
mod own;
mod tables;

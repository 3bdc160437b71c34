//! THE SHIPPED FILES: the book as it is built into the program.

macro_rules! files {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_bytes!(concat!("../data/", $name)))),+] };
}

/// Every file of the book with its name, in the order in which it is read. Procedures and conformance are read by their own rooms.
pub const FILES: &[(&str, &[u8])] = files![
    "clauses/4.yaml",
    "clauses/5.1.yaml",
    "clauses/5.2.yaml",
    "clauses/6.yaml",
    "clauses/7.yaml",
    "clauses/7.2.yaml",
    "clauses/7.3.yaml",
    "clauses/7.4.yaml",
    "clauses/7.5.yaml",
    "clauses/8.yaml",
    "clauses/A.yaml",
    "clauses/B.yaml",
];

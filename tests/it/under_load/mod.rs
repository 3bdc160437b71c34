//! V1 and V2 while something is wrong: inspection's findings travel to ticketing and callers open tickets, in a house whose services and servers are
//! processes of the test's own. Afterwards every acknowledged change is there, with exactly one effect, in order, and nothing half exists.
pub(crate) mod audit;
pub(crate) mod house;
pub(crate) mod load;
pub(crate) mod seed;

//! An instance, seen from outside: it comes up after whatever was done to it, and leaves nothing when it goes.

mod alone;
mod outside;

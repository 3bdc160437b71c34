//! V5: no caller ever reads or changes a row of an agency outside its scope. Tried at every rpc, by every role, from inside
//! and from outside the agency; and in the databases, as if the code had forgotten.
mod callers;
mod doors;
mod spoiled;
mod table;
mod walls;

//! Each starts a whole cluster: nothing else runs beside one.

mod foreign;
mod lifecycle;

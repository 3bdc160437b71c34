//! Messages that could not be handled: kept with their reasons in the database of who could not handle them, until a person lets
//! them have their effect or gives them up.

mod api;
mod command;
mod gauge;
mod message;
mod messages;

pub(crate) use api::Api;
pub(crate) use command::run as command;
pub(crate) use gauge::{gauge, watch};
pub(crate) use message::{Parking, Why};
pub(crate) use messages::{once_more, park};

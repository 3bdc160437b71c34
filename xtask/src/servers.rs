//! Servers from Debian, and the few that are not: one file each, all of what is special about it.

pub(crate) mod issuer;
pub(crate) mod jaeger;
pub(crate) mod nginx;
pub(crate) mod postgres;
pub(crate) mod prometheus;
pub(crate) mod rabbitmq;
pub(crate) mod redis;
pub(crate) mod targets;

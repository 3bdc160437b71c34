//! Redis 7. What it holds can be rebuilt; it is kept over a restart all the same.

use std::io::{Read as _, Write as _};

use anyhow::Result;

use crate::addresses::{BRIDGE, LOOPBACK, REDIS};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;

/// The server.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let data = instance.path("redis");
    let configuration = format!(
        "bind {LOOPBACK} {BRIDGE}\nport {}\nrequirepass {}\ndir {}\nsave 60 1\nset-proc-title no\nlogfile \"\"\n",
        REDIS.number,
        instance.secret("redis")?,
        data.display()
    );
    let file = data.join("redis.conf");
    Ok(Launch::of("/usr/bin/redis-server").arg(file.to_string_lossy()).user("redis").folder(data).file(file, configuration))
}

/// Whether it answers a ping.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    let mut stream = http::connect(&REDIS.at(LOOPBACK))?;
    let secret = instance.secret("redis").map_err(|e| e.to_string())?;
    let mut answer = [0; 64];
    let length = write!(stream, "AUTH {secret}\r\nPING\r\n")
        .and_then(|()| stream.read(&mut answer))
        .map_err(|error| format!("it does not answer: {error}"))?;
    let answer = String::from_utf8_lossy(&answer[..length]);
    if answer.starts_with("+OK") { Ok(()) } else { Err(format!("it answers {}", answer.trim())) }
}

/// Where a client finds it, from `address`.
pub(crate) fn url(instance: &Instance, address: &str) -> Result<String> {
    let secret = instance.secret("redis")?;
    Ok(format!("redis://:{secret}@{}", REDIS.at(address)))
}

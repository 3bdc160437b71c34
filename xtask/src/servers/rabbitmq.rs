//! RabbitMQ 3.10 with its management API, and Erlang's port mapper beside it: left to itself, RabbitMQ would start one that outlives it and
//! listens on every address.

use anyhow::Result;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::addresses::{AMQP, AMQP_ADMIN, BRIDGE, EPMD, ERLANG, LOOPBACK};
use crate::http;
use crate::instance::Instance;
use crate::launch::Launch;

const USER: &str = "rabbitmq";
/// The account, and the virtual host that the platform uses.
pub(crate) const ACCOUNT: &str = "opsmesh";

/// The port mapper.
pub(crate) fn launch_epmd(_: &Instance) -> Result<Launch> {
    Ok(Launch::of("/usr/bin/epmd").user(USER).args(["-address", LOOPBACK, "-port"]).arg(EPMD.number.to_string()))
}

/// Whether the port mapper listens.
pub(crate) fn epmd_ready(_: &Instance) -> Result<(), String> {
    http::connect(&EPMD.at(LOOPBACK)).map(drop)
}

/// The broker. Accounts and virtual hosts are definitions that it reads at each start: there never is a guest.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let home = instance.path("rabbitmq");
    let path = |inside: &str| home.join(inside).to_string_lossy().into_owned();
    let configuration = format!(
        "listeners.tcp.1 = {}\nlisteners.tcp.2 = {}\nmanagement.tcp.ip = {BRIDGE}\nmanagement.tcp.port = {}\n\
         load_definitions = {}\nlog.console = true\nlog.console.level = info\nlog.file = false\n",
        AMQP.at(LOOPBACK),
        AMQP.at(BRIDGE),
        AMQP_ADMIN.number,
        path("definitions.json"),
    );
    let permissions =
        ["/", ACCOUNT].map(|vhost| json!({"user": ACCOUNT, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}));
    let definitions = json!({
        "users": [{
            "name": ACCOUNT,
            "password_hash": hashed(&instance.secret("rabbitmq")?),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": ["administrator"],
        }],
        "vhosts": [{"name": "/"}, {"name": ACCOUNT}],
        "permissions": permissions,
    });
    Ok(Launch::of("/usr/lib/rabbitmq/bin/rabbitmq-server")
        .user(USER)
        .folder(home.clone())
        .folder(home.join("data"))
        .file(home.join("rabbitmq.conf"), configuration)
        .file(home.join("definitions.json"), definitions.to_string())
        .file(home.join("enabled_plugins"), "[rabbitmq_management].\n")
        .file(home.join(".erlang.cookie"), instance.secret("erlang-cookie")?)
        .env("HOME", path(""))
        .env("RABBITMQ_NODENAME", "rabbit@localhost")
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", path("data"))
        .env("RABBITMQ_LOG_BASE", path("data"))
        .env("RABBITMQ_DIST_PORT", ERLANG.number.to_string())
        .env("ERL_EPMD_PORT", EPMD.number.to_string())
        .env("ERL_EPMD_ADDRESS", LOOPBACK)
        // Idle schedulers sleep instead of spinning: on two cores somebody else needs them.
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        ))
}

/// Whether it takes messages: the management API comes up last.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    http::connect(&AMQP.at(LOOPBACK))?;
    let secret = instance.secret("rabbitmq").map_err(|e| e.to_string())?;
    let login = BASE64_STANDARD.encode(format!("{ACCOUNT}:{secret}"));
    let headers = format!("Authorization: Basic {login}\r\n");
    let aliveness = "/api/health/checks/virtual-hosts";
    http::get_with(&AMQP_ADMIN.at(BRIDGE), aliveness, &headers).map(drop)
}

/// Where a client finds a virtual host, from `address`.
pub(crate) fn url(instance: &Instance, vhost: &str, address: &str) -> Result<String> {
    let secret = instance.secret("rabbitmq")?;
    let place = AMQP.at(address);
    Ok(format!("amqp://{ACCOUNT}:{secret}@{place}/{vhost}"))
}

/// Where the management API is.
pub(crate) fn admin_url(instance: &Instance) -> Result<String> {
    let secret = instance.secret("rabbitmq")?;
    let place = AMQP_ADMIN.at(BRIDGE);
    Ok(format!("http://{ACCOUNT}:{secret}@{place}"))
}

/// A password as RabbitMQ keeps it. The salt is taken from the password, so that the same password makes the same file.
fn hashed(password: &str) -> String {
    let salt = &Sha256::digest(format!("salt of {password}"))[..4];
    let hash = Sha256::digest([salt, password.as_bytes()].concat());
    BASE64_STANDARD.encode([salt, &hash].concat())
}

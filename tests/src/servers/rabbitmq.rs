//! A RabbitMQ of a test's own. Its node is made known to the port mapper of the instance that the test runs in.
use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{as_user, folder_of, kill, signal};
use crate::{Port, within};

const USER: &str = "rabbitmq";
/// Account and virtual host; the broker hears nobody but this machine.
const ACCOUNT: &str = "guest";
/// The port mapper's port in every instance of `./x`.
const EPMD: &str = "17369";
/// A broker starts in ten seconds, on a busy machine in a minute.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// A broker.
pub struct Rabbitmq {
    home: PathBuf,
    port: Port,
    /// Where its node would hear other nodes.
    distribution: Port,
    child: Child,
}

impl Rabbitmq {
    /// A new one in this folder.
    pub async fn start(folder: &Path) -> Self {
        let home = folder.join("rabbitmq");
        folder_of(USER, &home);
        folder_of(USER, &home.join("data"));
        let (port, distribution) = (Port::claim(), Port::claim());
        let path = |inside: &str| home.join(inside);
        let configuration = format!(
            "listeners.tcp.1 = 127.0.0.1:{}\nload_definitions = {}\nlog.console = true\nlog.file = false\n",
            port.number(),
            path("definitions.json").display()
        );
        std::fs::write(path("rabbitmq.conf"), configuration).unwrap();
        let definitions = json!({
            "users": [{"name": ACCOUNT, "password": ACCOUNT, "tags": ["administrator"]}],
            "vhosts": [{"name": "/"}],
            "permissions": [{"user": ACCOUNT, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
        });
        std::fs::write(path("definitions.json"), definitions.to_string()).unwrap();
        std::fs::write(path("enabled_plugins"), "[].\n").unwrap();
        let child = launch(&home, &port, &distribution);
        let broker = Self { home, port, distribution, child };
        broker.ready().await;
        broker
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `amqp://…` by way of this port.
    #[must_use]
    pub fn url(port: u16) -> String {
        format!("amqp://{ACCOUNT}:{ACCOUNT}@127.0.0.1:{port}/%2f")
    }

    /// Kills it where it stands.
    pub fn kill(&mut self) {
        kill(&mut self.child);
    }

    /// Stops it where it stands without ending it; until [`Rabbitmq::thaw`].
    pub fn freeze(&self) {
        signal("-STOP", self.child.id());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        signal("-CONT", self.child.id());
    }

    /// Sets which share of memory it may use before it takes no message any more (`connection.blocked`).
    pub fn memory_limit(&self, share: &str) {
        let mut command = as_user(USER, "/usr/lib/rabbitmq/bin/rabbitmqctl");
        let set =
            surroundings(&mut command, &self.home, self.port()).args(["set_vm_memory_high_watermark", share]).output().unwrap();
        assert!(set.status.success(), "{}{}", String::from_utf8_lossy(&set.stdout), String::from_utf8_lossy(&set.stderr));
    }

    /// Starts it again and waits until it takes connections.
    pub async fn restart(&mut self) {
        assert!(greets(self.port()).await.is_err(), "it was not killed");
        self.child = launch(&self.home, &self.port, &self.distribution);
        self.ready().await;
    }

    async fn ready(&self) {
        within(PATIENCE, "RabbitMQ to take connections", || greets(self.port())).await;
    }
}

impl Drop for Rabbitmq {
    fn drop(&mut self) {
        signal("-KILL", self.child.id());
        let _ = self.child.wait();
    }
}

/// Whether it answers AMQP's first words.
async fn greets(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"AMQP\0\0\x09\x01").await?;
    let mut frame = [0; 7];
    stream.read_exact(&mut frame).await.map(drop)
}

fn launch(home: &Path, port: &Port, distribution: &Port) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(home.with_extension("log")).unwrap();
    let path = |inside: &str| home.join(inside).to_string_lossy().into_owned();
    surroundings(&mut as_user(USER, "/usr/lib/rabbitmq/bin/rabbitmq-server"), home, port.number())
        .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins"))
        .env("RABBITMQ_MNESIA_BASE", path("data"))
        .env("RABBITMQ_LOG_BASE", path("data"))
        .env("RABBITMQ_DIST_PORT", distribution.number().to_string())
        // The script becomes the broker. Else it would stand beside it, and be killed and frozen in its place.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// What the broker and whoever speaks with its node must agree upon.
fn surroundings<'a>(command: &'a mut Command, home: &Path, port: u16) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("RABBITMQ_NODENAME", format!("test{port}@localhost"))
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("ERL_EPMD_PORT", EPMD)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}",
        )
}

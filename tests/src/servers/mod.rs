//! Servers of a test's own, for tests that kill them: PostgreSQL and RabbitMQ from Debian, on loopback, with all they have in the test's folder.
mod postgres;
mod rabbitmq;

use std::{
    os::unix::fs::chown,
    path::Path,
    process::{Child, Command, Stdio},
};

pub use postgres::Postgres;
pub use rabbitmq::Rabbitmq;

use crate::told;

/// A program that runs as a user of its own and ends with the instance that the test belongs to, should the test not end it.
fn as_user(user: &str, program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", user, "--regid", user, "--init-groups", program])
        .env("OPSMESH_INSTANCE", told("OPSMESH_HOME"))
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// A folder that belongs to a user of Debian's.
fn folder_of(user: &str, path: &Path) {
    std::fs::create_dir_all(path).unwrap();
    let number = |flag: &str| -> u32 {
        let output = Command::new("id").args([flag, user]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    };
    chown(path, Some(number("-u")), Some(number("-g"))).unwrap();
}

/// Kills it where it stands and waits until it is gone.
fn kill(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
}

/// Sends a signal by its name.
pub(crate) fn signal(name: &str, pid: u32) {
    // It may have ended by itself.
    let _ = Command::new("kill").args([name, &pid.to_string()]).output();
}

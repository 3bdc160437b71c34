//! A PostgreSQL of a test's own, that commits to disk as a real one does.
use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{as_user, folder_of, free_port, kill, signal};
use crate::eventually;

const USER: &str = "postgres";
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A server.
pub struct Postgres {
    data: PathBuf,
    port: u16,
    child: Child,
}

impl Postgres {
    /// A new one in this folder.
    pub async fn start(folder: &Path, seed: u64) -> Self {
        let data = folder.join("postgres");
        folder_of(USER, &data);
        let made = as_user(USER, &format!("{PROGRAMS}/initdb"))
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port(seed);
        let child = launch(&data, port);
        let server = Self { data, port, child };
        server.ready().await;
        server
    }

    /// A database and the role that owns it, both of this name.
    pub async fn database(&self, name: &str) {
        let mut admin = self.connect("postgres").await.unwrap();
        for statement in [format!("CREATE ROLE {name} LOGIN NOSUPERUSER"), format!("CREATE DATABASE {name} OWNER {name}")] {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
        }
    }

    /// A superuser's connection: it sees everything.
    pub async fn connect(&self, database: &str) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)).await
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the postmaster where it stands; what it has started ends by itself.
    pub fn kill(&mut self) {
        kill(&mut self.child);
    }

    /// Stops it without a word to its clients and without a checkpoint.
    pub fn stop_immediately(&mut self) {
        signal("-QUIT", self.child.id());
        self.child.wait().unwrap();
    }

    /// Starts it again and waits until it takes connections.
    pub async fn restart(&mut self) {
        // Backends of the one before end when they notice; until then the new one refuses to start.
        let server = std::cell::RefCell::new(&mut self.child);
        eventually("PostgreSQL to start again", || async {
            let mut child = server.borrow_mut();
            if child.try_wait().unwrap().is_some() {
                **child = launch(&self.data, self.port);
            }
            answers(self.port).await
        })
        .await;
    }

    async fn ready(&self) {
        eventually("PostgreSQL to take connections", || answers(self.port)).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        signal("-QUIT", self.child.id());
        let _ = self.child.wait();
    }
}

async fn answers(port: u16) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(&format!("postgres://{USER}@127.0.0.1:{port}/postgres")).await?;
    connection.ping().await
}

fn launch(data: &Path, port: u16) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(data.with_extension("log")).unwrap();
    as_user(USER, &format!("{PROGRAMS}/postgres"))
        .arg("-D")
        .arg(data)
        .args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=on",
            "-c",
            "max_connections=60",
        ])
        .args(["-c", &format!("port={port}")])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

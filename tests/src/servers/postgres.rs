//! A PostgreSQL of a test's own, that commits to disk as a real one does.
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{as_user, folder_of, kill, signal};
use crate::{Port, eventually};

const USER: &str = "postgres";
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";

/// A server.
pub struct Postgres {
    data: PathBuf,
    port: Port,
    child: Child,
}

impl Postgres {
    /// A new one in this folder.
    pub async fn start(folder: &Path) -> Self {
        let data = folder.join("postgres");
        folder_of(USER, &data);
        let made = as_user(USER, &format!("{PROGRAMS}/initdb"))
            .args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--no-locale", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = Port::claim();
        let child = launch(&data, port.number());
        let server = Self { data, port, child };
        server.ready().await;
        server
    }

    /// A second server that holds everything the first has acknowledged, ready to take over: from now on the first acknowledges nothing
    /// that the second does not hold.
    pub async fn standby(&self, folder: &Path) -> Self {
        let data = folder.join("standby");
        folder_of(USER, &data);
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
        let copied = as_user(USER, &format!("{PROGRAMS}/pg_basebackup"))
            .args([
                "--host=127.0.0.1",
                &format!("--port={}", self.port()),
                "--checkpoint=fast",
                "--no-sync",
                "--write-recovery-conf",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let port = Port::claim();
        let standby = Self { child: launch(&data, port.number()), data, port };
        standby.ready().await;
        let mut primary = self.connect("postgres").await.unwrap();
        for statement in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            sqlx::query(statement).execute(&mut primary).await.unwrap();
        }
        let primary = tokio::sync::Mutex::new(primary);
        eventually("the standby to hold what is acknowledged", || async {
            let states: Vec<String> = sqlx::query_scalar("SELECT sync_state FROM pg_stat_replication")
                .fetch_all(&mut *primary.lock().await)
                .await
                .unwrap();
            if states == ["sync"] { Ok(()) } else { Err(states) }
        })
        .await;
        standby
    }

    /// Makes a standby the server that is written to.
    pub async fn promote(&self) {
        let mut standby = self.connect("postgres").await.unwrap();
        assert!(sqlx::query_scalar::<_, bool>("SELECT pg_promote()").fetch_one(&mut standby).await.unwrap());
    }

    /// Stops the server and all that it has started where they stand without ending them; until [`Postgres::thaw`].
    pub fn freeze(&self) {
        self.all("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.all("-CONT");
    }

    /// The postmaster first: whoever it starts meanwhile is one of those found afterwards.
    fn all(&self, name: &str) {
        signal(name, self.child.id());
        let parent = format!("PPid:\t{}", self.child.id());
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            // Whatever ends while it is looked at has no status.
            let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            if let (true, Ok(pid)) = (status.lines().any(|line| line == parent), entry.file_name().to_string_lossy().parse()) {
                signal(name, pid);
            }
        }
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
        PgConnection::connect(&format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port())).await
    }

    /// Where its data are.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
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
        let (child, data, port) = (&mut self.child, &self.data, self.port.number());
        eventually("PostgreSQL to start again", || {
            // Backends of the one before end when they notice; until then a new one refuses to start.
            if child.try_wait().unwrap().is_some() {
                *child = launch(data, port);
            }
            answers(port)
        })
        .await;
    }

    async fn ready(&self) {
        eventually("PostgreSQL to take connections", || answers(self.port())).await;
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
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

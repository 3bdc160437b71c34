//! PostgreSQL 15: a cluster of our own, not Debian's default one.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use crate::addresses::{BRIDGE, LOOPBACK, PODS, POSTGRES};
use crate::errand;
use crate::foreign;
use crate::huge_pages;
use crate::instance::{Instance, folder_with};
use crate::launch::{Launch, account, own};

/// Where Debian keeps this version's programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const USER: &str = "postgres";
/// The services that own a database each, as a role of the same name without any privilege beyond it.
pub(crate) const SERVICES: &[&str] = &["ticketing", "inventory", "inspection"];

/// How a service's database sorts: text byte by byte, as the names are compared that are in every key. By a locale's rules, `C.UTF-8` among them, each comparison asks the C library
/// (measured: a tenth of the rate at which tickets are opened), whose next version may think otherwise of the order that the indexes are in.
const BYTES: &str = "TEMPLATE template0 LC_COLLATE ''C''";

/// Makes the data directory once.
pub(crate) fn prepare(instance: &Instance) -> Result<()> {
    let data = instance.path("postgres");
    // No process of ours is left at this point: a lock file is what a crash left, and its number may be another's by now, or that of a process that
    // nobody has reaped.
    drop(fs::remove_file(data.join("postmaster.pid")));
    drop(fs::remove_dir_all(instance.path("run/sockets")));
    if !data.join("PG_VERSION").exists() {
        make(instance, &data)?;
    }
    let mut asked = as_user(&format!("{PROGRAMS}/postgres"));
    asked.args(["-C", "shared_memory_size_in_huge_pages", "-D"]).arg(&data);
    for setting in settings(instance) {
        asked.arg("-c").arg(setting);
    }
    let needed = errand::ask(&mut asked).context("PostgreSQL does not say how much memory it takes")?;
    // Less than none where the machine knows no large pages.
    let needed: i64 = needed.trim().parse()?;
    huge_pages::reserve(instance, needed.try_into().unwrap_or(0))
}

/// Makes it whole, or not at all.
fn make(instance: &Instance, data: &Path) -> Result<()> {
    drop(fs::remove_dir_all(data));
    let fresh = instance.path("postgres.new");
    drop(fs::remove_dir_all(&fresh));
    folder_with(&fresh, 0o700)?;
    own(&fresh, Some(account(USER)?))?;
    errand::ask(
        as_user(&format!("{PROGRAMS}/initdb"))
            .args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=peer"])
            .args(["--auth-host=scram-sha-256", "--data-checksums", "-D"])
            .arg(&fresh),
    )
    .context("PostgreSQL's data directory cannot be made")?;
    // Under its own name only when it is whole.
    fs::rename(&fresh, data)?;
    Ok(())
}

/// When the data directory was made: what was written into another is not in it. `None`: the server is another's, and so are its data.
pub(crate) fn made(instance: &Instance) -> Option<SystemTime> {
    fs::metadata(instance.path("postgres").join("PG_VERSION")).and_then(|file| file.modified()).ok()
}

/// One server for the host and the pods.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let data = instance.path("postgres");
    let mut launch = Launch::of(format!("{PROGRAMS}/postgres"))
        .user(USER)
        .folder_with(instance.path("run/sockets"), 0o755)
        .file(
            data.join("opsmesh_hba.conf"),
            format!("local all postgres peer\nhost all all {LOOPBACK}/32 scram-sha-256\nhost all all {PODS} scram-sha-256\n"),
        )
        .arg("-D")
        .arg(data.to_string_lossy());
    for setting in settings(instance) {
        launch = launch.arg("-c").arg(setting);
    }
    Ok(launch)
}

/// What it is told at each start, and asked by how much memory it then takes.
fn settings(instance: &Instance) -> Vec<String> {
    vec![
        format!("listen_addresses={LOOPBACK},{BRIDGE}"),
        format!("port={}", POSTGRES.number),
        format!("unix_socket_directories={}", instance.path("run/sockets").display()),
        format!("hba_file={}", instance.path("postgres/opsmesh_hba.conf").display()),
        "max_connections=300".into(),
        "shared_buffers=256MB".into(),
        "fsync=on".into(),
        "log_line_prefix=%m [%p] %u@%d ".into(),
        "log_min_duration_statement=1000".into(),
    ]
}

/// Roles and databases, with the passwords that the others are told.
pub(crate) fn settle(instance: &Instance) -> Result<()> {
    // The admin makes databases and roles for tests; `opsmesh` is what a person uses; each service owns its own database.
    let mut script = String::from("\\set ON_ERROR_STOP on\nSET client_min_messages = warning;\n");
    let mut role = |name: &str, rights: &str| -> Result<()> {
        let password = instance.secret(&format!("postgres-{name}"))?;
        script.push_str(&format!(
            "SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n\
             ALTER ROLE {name} LOGIN {rights} PASSWORD '{password}';\n"
        ));
        Ok(())
    };
    role("opsmesh_admin", "SUPERUSER")?;
    role("opsmesh", "CREATEDB")?;
    for service in SERVICES {
        role(service, "NOSUPERUSER NOCREATEDB")?;
    }
    for service in SERVICES {
        let database = database(service);
        script.push_str(&format!(
            "SELECT 'CREATE DATABASE {database} OWNER {service} {BYTES}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec\n\
             REVOKE CONNECT ON DATABASE {database} FROM PUBLIC;\n"
        ));
    }
    errand::tell(
        as_user(&format!("{PROGRAMS}/psql"))
            .args(["-X", "-q", "-v", "VERBOSITY=terse", "-d", "postgres"])
            .arg("-h")
            .arg(instance.path("run/sockets"))
            .arg("-p")
            .arg(POSTGRES.number.to_string()),
        &script,
    )
    .context("PostgreSQL's roles and databases cannot be made")?;
    Ok(())
}

/// Whether it takes connections.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    errand::ask(
        errand::program(format!("{PROGRAMS}/pg_isready")).args(["-q", "-h", LOOPBACK, "-p"]).arg(POSTGRES.number.to_string()),
    )
    .map(drop)
    .map_err(|_| format!("no connections on {} yet", POSTGRES.at(LOOPBACK)))
}

/// Where a role finds a database, from `address`.
pub(crate) fn url(instance: &Instance, role: &str, database: &str, address: &str) -> Result<String> {
    let password = instance.secret(&format!("postgres-{role}"))?;
    let place = POSTGRES.at(address);
    Ok(format!("postgres://{role}:{password}@{place}/{database}"))
}

/// Whether whoever `DATABASE_URL` names may make roles on that server.
pub(crate) fn may_make_roles(url: &str) -> Result<bool> {
    let answer = psql(url, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user;\n")
        .context("the server that DATABASE_URL names does not answer")?;
    Ok(answer.trim() == "t")
}

/// The services' databases on a server that is not ours, if they are not there. Each belongs to a role of its own where one can be made: an owner that is
/// nobody's superuser is what row-level security holds for.
pub(crate) fn make_databases(instance: &Instance, url: &str, with_roles: bool) -> Result<()> {
    for service in SERVICES {
        let name = database(service);
        let mut script = String::new();
        if with_roles {
            let password = instance.secret(&format!("postgres-{service}"))?;
            script.push_str(&format!(
                "SELECT 'CREATE ROLE {name}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec\n\
                 ALTER ROLE {name} LOGIN PASSWORD '{password}';\n\
                 GRANT {name} TO CURRENT_USER;\n"
            ));
        }
        let owner = if with_roles { format!(" OWNER {name}") } else { String::new() };
        script.push_str(&format!(
            "SELECT 'CREATE DATABASE {name}{owner} {BYTES}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec\n"
        ));
        script.push_str(&format!("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{name}';\n"));
        let owner = psql(url, &script).with_context(|| {
            format!(
                "the database {name} cannot be made on the server that DATABASE_URL names: make it there, or name a role that may"
            )
        })?;
        let owner = owner.lines().last().unwrap_or_default().trim();
        ensure!(
            !with_roles || owner == name,
            "the database {name} on the server that DATABASE_URL names belongs to {owner}: give it to {name}, or name another server"
        );
    }
    Ok(())
}

/// Where a service finds its database on a server that is not ours.
pub(crate) fn foreign_url(instance: &Instance, service: &str, url: &str, with_roles: bool) -> Result<String> {
    let name = database(service);
    let beside = foreign::beside(url, &name)?;
    if !with_roles {
        return Ok(beside);
    }
    foreign::with_login(&beside, &name, &instance.secret(&format!("postgres-{service}"))?)
}

/// What a server that is not ours says to a script.
fn psql(url: &str, script: &str) -> Result<String> {
    let (url, password) = foreign::without_password(url);
    let mut command = errand::program(format!("{PROGRAMS}/psql"));
    command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-d", &url]).env("PGPASSWORD", password);
    errand::tell(&mut command, script)
}

/// The database of a service.
pub(crate) fn database(service: &str) -> String {
    format!("opsmesh_{service}")
}

fn as_user(program: &str) -> Command {
    let mut command = errand::program("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--init-groups", program]).current_dir("/");
    command
}

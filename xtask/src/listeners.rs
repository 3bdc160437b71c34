//! Who listens where, as the kernel tells it: a port that is taken is told with the name of who has it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use anyhow::{Error, Result};

use crate::addresses::Port;
use crate::processes::Process;
use crate::wait;

/// The kernel's code for a socket that listens.
const LISTENING: &str = "0A";

/// A process that was just killed keeps its ports for a moment and is not to be found any more.
const DYING: Duration = Duration::from_secs(5);

/// Refuses to go on if somebody else has one of these ports.
pub(crate) fn refuse_taken(ports: &[Port]) -> Result<()> {
    let refusal = wait::until(DYING, || match taken(ports) {
        None => Ok(None),
        Some((port, Some(holder))) => Ok(Some(refusal(port, &format!("process {} ({})", holder.pid, holder.command())))),
        Some((port, None)) => Err(refusal(port, "somebody outside this container")),
    });
    match refusal {
        Ok(None) => Ok(()),
        Ok(Some(refusal)) | Err(refusal) => Err(Error::msg(refusal)),
    }
}

fn refusal(port: Port, holder: &str) -> String {
    format!("port {} of {} is taken by {holder}: stop that, and run ./x up again", port.number, port.part)
}

/// The first of these ports that somebody has, and who, if that can be seen.
fn taken(ports: &[Port]) -> Option<(Port, Option<Process>)> {
    let listening = listening();
    let (port, socket) = ports
        .iter()
        .find_map(|port| listening.iter().find(|(number, _)| *number == port.number).map(|(_, socket)| (port, *socket)))?;
    Some((*port, Process::all().into_iter().find(|process| has(process, socket))))
}

/// Ports and sockets of whoever listens in this network.
fn listening() -> Vec<(u16, u64)> {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().flat_map(|table| parsed(&fs::read_to_string(table).unwrap_or_default())).collect()
}

fn parsed(table: &str) -> Vec<(u16, u64)> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, port) = fields.get(1)?.rsplit_once(':')?;
            if *fields.get(3)? != LISTENING {
                return None;
            }
            Some((u16::from_str_radix(port, 16).ok()?, fields.get(9)?.parse().ok()?))
        })
        .collect()
}

/// Whether the process has this socket open.
fn has(process: &Process, socket: u64) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{}/fd", process.pid)) else {
        return false;
    };
    entries.flatten().any(|entry| fs::metadata(entry.path()).is_ok_and(|file| file.ino() == socket && is_socket(&file)))
}

fn is_socket(file: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    file.file_type().is_socket()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_listen_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:4418 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n\
             1: 0100007F:4419 0100007F:4418 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n";
        assert_eq!(parsed(table), [(0x4418, 4711)]);
    }

    #[test]
    fn a_taken_port_names_its_holder() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let number = listener.local_addr().unwrap().port();
        let port = Port { number, part: "nginx", name: "HTTP_PORT" };
        let refused = refuse_taken(&[port]).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
    }
}

//! A fault on the way to a port of this machine, made by the kernel's packet filter in the network namespace that tests run in: nobody else's network is touched.
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// What becomes of packets to and from the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They are gone, and nobody is told.
    Silent,
    /// Whoever sends one is told at once that nobody is there.
    Loud,
    /// Of a hundred so many are gone.
    Loss(u8),
}

/// The fault; it heals when dropped.
#[derive(Debug)]
pub struct Cut(String);

impl Cut {
    /// From now on, for this port, in both directions.
    #[must_use]
    pub fn at(port: u16, fault: Fault) -> Self {
        let table = format!("opsmesh_test_cut_{port}");
        let verdict = match fault {
            Fault::Silent => "drop".to_owned(),
            // The reset itself comes this way, too, and must get through: else nobody is told.
            Fault::Loud => "tcp flags & rst != rst reject with tcp reset".to_owned(),
            Fault::Loss(share) => format!("numgen random mod 100 < {share} drop"),
        };
        let rules = format!(
            "table inet {table} {{ chain input {{ type filter hook input priority 0;\n\
             tcp dport {port} {verdict}\ntcp sport {port} {verdict}\n}}\n}}\n"
        );
        let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(nft.wait().unwrap().success(), "nft refuses:\n{rules}");
        Self(table)
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        // It ends with the namespace, should it be gone already.
        let _ = Command::new("nft").args(["delete", "table", "inet", &self.0]).status();
    }
}

//! Ports for what a test starts: taken for as long as they are held, though nobody listens yet, or for a moment not, having been killed.
use std::{
    fs::{File, create_dir_all},
    net::TcpListener,
    ops::RangeInclusive,
    path::Path,
};

use crate::told;

/// Below the kernel's own range, so that no outgoing connection has taken one; away from those of `./x`.
const PORTS: RangeInclusive<u16> = 20_000..=30_999;

/// A port of this machine that no other test of this instance gets while this one has it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// A listener could not say it: between being chosen and being listened on lies a migration, and a killed server listens no more.
    _claim: File,
}

impl Port {
    /// A port that nobody listens on and nobody else has.
    #[must_use]
    pub fn claim() -> Self {
        let folder = Path::new(&told("OPSMESH_HOME")).join("ports");
        create_dir_all(&folder).unwrap();
        PORTS
            .filter_map(|number| {
                let claim = File::create(folder.join(number.to_string())).unwrap();
                claim.try_lock().ok().map(|()| Self { number, _claim: claim })
            })
            .find(|port| TcpListener::bind(("127.0.0.1", port.number)).is_ok())
            .expect("a free port")
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }
}

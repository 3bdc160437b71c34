//! A part of an instance: a server, a component of the cluster, or a thing that is made once and stays.

use std::time::Duration;

use anyhow::Result;
use rustix::process::Signal;

use crate::addresses::Port;
use crate::instance::Instance;
use crate::launch::Launch;

/// What must be there, and how one tells, makes and unmakes it.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// What people call it: `./x logs NAME`, `./x stop NAME`.
    pub(crate) name: &'static str,
    /// What it is for, in a few words.
    pub(crate) what: &'static str,
    /// The parts that must be ready before it can start.
    pub(crate) after: &'static [&'static str],
    /// The ports it listens on.
    pub(crate) ports: &'static [Port],
    /// A process, or a thing.
    pub(crate) kind: Kind,
    /// `Ok` when it can be used; else what is missing.
    pub(crate) ready: fn(&Instance) -> Result<(), String>,
}

/// What sort of part it is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A process that runs.
    Server {
        /// What comes before its first start; called before each.
        prepare: fn(&Instance) -> Result<()>,
        /// How it is started. A running one that was started differently is started anew.
        launch: fn(&Instance) -> Result<Launch>,
        /// What is set right in it once it is ready; idempotent.
        settle: fn(&Instance) -> Result<()>,
        /// How it is stopped.
        stop: Stop,
    },
    /// Something that is made and stays: a bridge, objects in the cluster.
    Thing {
        /// Makes it, or makes it right; says whether anything was done.
        make: fn(&Instance) -> Result<Made>,
    },
    /// A server that exists already and is somebody else's.
    Foreign,
}

/// How a process is asked to end.
#[derive(Clone, Copy)]
pub(crate) struct Stop {
    /// The signal that its manual names for an orderly end.
    pub(crate) signal: Signal,
    /// How long that may take before it is killed.
    pub(crate) grace: Duration,
    /// Whether what it leaves behind in its control group ends with it.
    pub(crate) with_children: bool,
}

/// What [`Kind::Thing`]'s making came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was as it should be.
    Already,
    /// It was made, or made right.
    Now,
    /// What it is made from is not in the checkout.
    Absent(&'static str),
}

impl Stop {
    /// SIGTERM, and at most this many seconds.
    pub(crate) const fn within(seconds: u64) -> Self {
        Self { signal: Signal::TERM, grace: Duration::from_secs(seconds), with_children: true }
    }

    /// As it is, with another signal.
    pub(crate) const fn by(mut self, signal: Signal) -> Self {
        self.signal = signal;
        self
    }

    /// As it is, but what it has started stays.
    pub(crate) const fn alone(mut self) -> Self {
        self.with_children = false;
        self
    }
}

/// For a server that needs nothing before or after.
pub(crate) fn nothing(_: &Instance) -> Result<()> {
    Ok(())
}

//! Memory in large pages for PostgreSQL. Its keys lie all over its memory, and where the machine is a virtual one each small page that is not at hand is looked up twice (measured: what
//! remembering answers under random ids costs the server, with half a million there, is nearly halved). Where the machine does not give any, it takes small ones.

use std::fs;

use anyhow::Result;

use crate::instance::Instance;

const COUNT: &str = "/proc/sys/vm/nr_hugepages";
/// Counts are from one start of the machine to the next.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";
/// How many of them are ours.
const KEPT: &str = "run/huge_pages";
/// What is set aside is nobody else's: at most such a part of the memory that is free.
const SHARE: u64 = 8;

/// Sees to it that so many are free, if the machine lets us and has the memory.
pub(crate) fn reserve(instance: &Instance, needed: u64) -> Result<()> {
    let (Some(free), Some(size), Some(available)) = (memory("HugePages_Free"), memory("Hugepagesize"), memory("MemAvailable"))
    else {
        return Ok(());
    };
    let more = needed.saturating_sub(free);
    let (Ok(boot), Ok(before)) = (fs::read_to_string(BOOT), count()) else {
        return Ok(());
    };
    if more == 0 || needed * size > available / SHARE {
        return Ok(());
    }
    let set = |pages: u64| fs::write(COUNT, format!("{pages}\n"));
    if set(before + more).is_err() {
        return Ok(());
    }
    if count()? < before + more {
        // Memory is in too small pieces: a part of them would serve nobody.
        return Ok(set(before)?);
    }
    Ok(fs::write(instance.path(KEPT), format!("{} {}", boot.trim(), reserved(instance) + more))?)
}

/// Gives back what [`reserve`] set aside.
pub(crate) fn release(instance: &Instance) -> Result<()> {
    let reserved = reserved(instance);
    if reserved > 0 {
        fs::write(COUNT, format!("{}\n", count()?.saturating_sub(reserved)))?;
    }
    drop(fs::remove_file(instance.path(KEPT)));
    Ok(())
}

/// How many were set aside since the machine started.
fn reserved(instance: &Instance) -> u64 {
    let (Ok(kept), Ok(boot)) = (fs::read_to_string(instance.path(KEPT)), fs::read_to_string(BOOT)) else {
        return 0;
    };
    kept.split_once(' ').filter(|(at, _)| *at == boot.trim()).and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

fn count() -> Result<u64> {
    Ok(fs::read_to_string(COUNT)?.trim().parse()?)
}

/// A line of the kernel's account of its memory: pages, or KiB.
fn memory(what: &str) -> Option<u64> {
    let account = fs::read_to_string("/proc/meminfo").ok()?;
    let line = account.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

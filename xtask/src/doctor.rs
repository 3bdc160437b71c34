//! `./x doctor`: what this machine can and cannot do, each with the remedy.

use std::fs;

use anyhow::Result;

use crate::addresses::{ALL, BRIDGE_LINK};
use crate::cgroups::Cgroups;
use crate::errand;
use crate::instance::Instance;
use crate::{debian, launch, listeners, parts, provision, tools};

/// Bits of the kernel's capability words.
const NET_ADMIN: u32 = 12;
const SYS_ADMIN: u32 = 21;
const SYS_RESOURCE: u32 = 24;

/// Something looked at.
pub(crate) struct Finding {
    /// Whether it is as it should be; `None` if it does not matter for running.
    pub(crate) well: Option<bool>,
    /// What it is, and what to do about it.
    pub(crate) said: String,
}

/// Looks at everything.
pub(crate) fn look(instance: &Instance) -> Result<Vec<Finding>> {
    let mut found = vec![privileges(NET_ADMIN, "CAP_NET_ADMIN"), privileges(SYS_ADMIN, "CAP_SYS_ADMIN")];
    found.push(note(if has(SYS_RESOURCE) {
        "has CAP_SYS_RESOURCE"
    } else {
        "lacks CAP_SYS_RESOURCE: pods keep the node's out-of-memory score"
    }));
    for program in ["cargo", "cc", "go", "npm", "python3", "apt-get"] {
        let there = errand::ask(errand::program("sh").args(["-c", &format!("command -v {program}")])).is_ok();
        found.push(finding(
            there,
            &format!("has {program}"),
            &format!("lacks {program}: install it and put it on the search path"),
        ));
    }
    let filesystems = fs::read_to_string("/proc/filesystems")?;
    found.push(finding(filesystems.contains("overlay"), "has overlayfs", "lacks overlayfs: load it with `modprobe overlay`"));
    found.push(match Cgroups::find() {
        Ok(groups) if groups.is_unified() => note("has control groups, version 2"),
        Ok(_) => note("has control groups, version 1"),
        Err(error) => finding(false, "", &error.to_string()),
    });
    let bridge = errand::ask(errand::program("sh").args(["-c", &trial("ip link add opsmesh-trial type bridge")]));
    found.push(finding(
        bridge.is_ok(),
        "can make network namespaces and bridges",
        "cannot make a bridge in a network namespace: this takes root outside of a container, or a privileged one",
    ));
    let filter = errand::ask(errand::program("sh").args(["-c", &trial("nft add table inet opsmesh-trial")]));
    found.push(match debian::missing(instance).contains(&"nftables") {
        true => note("packet filter: not looked at before nftables is installed"),
        false => finding(filter.is_ok(), "can filter packets (nftables)", "cannot filter packets: the kernel lacks nf_tables"),
    });
    found.push(match debian::missing(instance)[..] {
        [] => finding(true, "has all Debian packages", ""),
        ref missing => note(&format!("./x up will install {}", missing.join(", "))),
    });
    found.push(match tools::missing(instance)?[..] {
        [] => finding(true, "has all pinned tools", ""),
        ref missing => note(&format!("./x up will build {} (about 20 min on 2 cores, once)", missing.join(", "))),
    });
    for (path, needed, why) in provision::needs(instance)? {
        let free = provision::free(&path)?;
        let said = format!("{} GiB free where {} is; {} GiB needed to {why}", free >> 30, path.display(), needed >> 30);
        found.push(finding(free >= needed, &said, &format!("{said}: make room")));
    }
    let ours = parts::parts(instance).iter().any(|part| launch::running(instance, part.name).is_some());
    if ours {
        found.push(note("is up; its ports are its own"));
    } else {
        let taken: Vec<String> =
            ALL.iter().filter_map(|port| listeners::refuse_taken(&[*port]).err()).map(|error| error.to_string()).collect();
        found.push(finding(taken.is_empty(), "all ports are free", &taken.join("; ")));
    }
    Ok(found)
}

/// A try in a network namespace that ends with it.
fn trial(command: &str) -> String {
    debug_assert!(!command.contains(BRIDGE_LINK), "a trial leaves the real one alone");
    format!("exec unshare --net sh -c '{command}'")
}

fn privileges(bit: u32, name: &str) -> Finding {
    finding(has(bit), &format!("has {name}"), &format!("lacks {name}: run as root, in a container with --privileged"))
}

fn has(bit: u32) -> bool {
    fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|word| u64::from_str_radix(word.trim(), 16).ok())
        .is_some_and(|word| word >> bit & 1 == 1)
}

fn finding(well: bool, good: &str, bad: &str) -> Finding {
    let said = if well { good } else { bad };
    Finding { well: Some(well), said: said.into() }
}

fn note(said: &str) -> Finding {
    Finding { well: None, said: said.into() }
}

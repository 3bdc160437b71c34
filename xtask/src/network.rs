//! The instance's network: its namespace if it is confined, the bridge that pods hang on, and a guard that keeps other machines out.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::addresses::{BRIDGE, BRIDGE_LINK, PODS, SERVICES};
use crate::errand;
use crate::instance::Instance;
use crate::part::Made;

/// The nftables table that is ours; kube-proxy has its own.
const TABLE: &str = "opsmesh";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Into the instance's network namespace, if it has one and this program is not there yet: makes the namespace, and starts this program again inside.
pub(crate) fn enter(instance: &Instance) -> Result<()> {
    let Some(name) = &instance.settings.network else {
        return Ok(());
    };
    let file = file(name);
    if is_inside(instance) {
        return Ok(());
    }
    if !file.exists() {
        errand::ask(errand::program("ip").args(["netns", "add", name]))
            .context("no network namespace can be made: this takes root with CAP_SYS_ADMIN and CAP_NET_ADMIN")?;
        errand::ask(errand::program("ip").args(["-n", name, "link", "set", "lo", "up"]))?;
    }
    let failed = errand::program("nsenter")
        .arg(format!("--net={}", file.display()))
        .arg("--")
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .exec();
    Err(failed).context("cannot enter the network namespace")
}

/// Whether this program runs in the instance's network.
pub(crate) fn is_inside(instance: &Instance) -> bool {
    let Some(name) = &instance.settings.network else {
        return true;
    };
    let identity = |path: PathBuf| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let own = identity("/proc/self/ns/net".into());
    own.is_some() && own == identity(file(name))
}

/// The bridge, its addresses, and the guard.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    let made = if ready(instance).is_ok() { Made::Already } else { Made::Now };
    if let Some(other) = holder(None).filter(|name| *name != instance.name) {
        // Pods of a cluster that is not ours hang on its own bridge; if that is here, it leads to our servers, too.
        if instance.settings.foreign.cluster.is_some() {
            return Ok(Made::Already);
        }
        bail!("the instance {other} is up in this network: take it down, or confine one of the two with OPSMESH_NETNS");
    }
    if made == Made::Now {
        refuse_overlap()?;
        let ip = |words: &str| errand::ask(errand::program("ip").args(words.split(' ')));
        if ip(&format!("link show {BRIDGE_LINK}")).is_err() {
            ip(&format!("link add {BRIDGE_LINK} type bridge"))
                .context("no bridge can be made: this takes root with CAP_NET_ADMIN and a kernel with bridges")?;
        }
        ip(&format!("link set {BRIDGE_LINK} alias {}", instance.name))?;
        ip(&format!("address replace {BRIDGE}/24 dev {BRIDGE_LINK}"))?;
        ip(&format!("link set {BRIDGE_LINK} up"))?;
        ip(&format!("route replace {SERVICES} dev {BRIDGE_LINK}"))?;
    }
    let kept = instance.path("run/ip_forward");
    if fs::read_to_string(FORWARDING)?.trim() != "1" {
        fs::write(&kept, "0\n")?;
        fs::write(FORWARDING, "1\n").context("pods need net.ipv4.ip_forward=1, and it cannot be set")?;
    }
    errand::tell(errand::program("nft").args(["-f", "-"]), &guard())
        .context("the packet filter cannot be set: this takes nftables in the kernel")?;
    Ok(made)
}

/// Whether the bridge is up with its address and routes.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let on_bridge = |network: &str| {
        let wanted = little_endian(network);
        routes
            .lines()
            .map(|l| l.split_whitespace().collect::<Vec<_>>())
            .any(|fields| fields.first() == Some(&BRIDGE_LINK) && fields.get(1) == Some(&wanted.as_str()))
    };
    if on_bridge(PODS) && on_bridge(SERVICES) {
        Ok(())
    } else {
        Err(format!("the bridge {BRIDGE_LINK} has no address or no route yet"))
    }
}

/// Takes down what [`make`] made.
pub(crate) fn clear(instance: &Instance) -> Result<()> {
    if let Some(name) = &instance.settings.network {
        // Everything inside goes with it.
        if file(name).exists() && !is_anothers(instance, name) {
            errand::ask(errand::program("ip").args(["netns", "delete", name]))?;
        }
        return Ok(());
    }
    for table in tables(instance) {
        let words: Vec<&str> = table.split(' ').collect();
        errand::ask(errand::program("nft").args(["delete", "table"]).args(words))?;
    }
    for link in links(instance) {
        drop(errand::ask(errand::program("ip").args(["link", "delete", &link])));
    }
    let kept = instance.path("run/ip_forward");
    if let Ok(before) = fs::read_to_string(&kept) {
        fs::write(FORWARDING, before)?;
        fs::remove_file(kept)?;
    }
    Ok(())
}

/// What is left of the network, in words.
pub(crate) fn left(instance: &Instance) -> Vec<String> {
    match &instance.settings.network {
        Some(name) if file(name).exists() && !is_anothers(instance, name) => vec![format!("network namespace {name}")],
        Some(_) => Vec::new(),
        None => {
            let links = links(instance).into_iter().map(|link| format!("network link {link}"));
            let tables = tables(instance).into_iter().map(|table| format!("nftables table {table}"));
            links.chain(tables).collect()
        }
    }
}

/// Whether a namespace has the bridge of another instance in it.
pub(crate) fn is_anothers(instance: &Instance, namespace: &str) -> bool {
    holder(Some(namespace)).is_some_and(|name| name != instance.name)
}

/// The name of the instance whose bridge is up in this network, or in that of a namespace.
fn holder(namespace: Option<&str>) -> Option<String> {
    let mut command = errand::program("ip");
    command.args(namespace.map(|name| ["-n", name]).into_iter().flatten());
    let link = errand::ask(command.args(["link", "show", BRIDGE_LINK])).ok()?;
    let name = link.split_once("alias ")?.1.trim();
    Some(name.to_owned())
}

/// The bridge and what hangs on it, the bridge last.
fn links(instance: &Instance) -> Vec<String> {
    if holder(None).is_some_and(|name| name != instance.name) {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir("/sys/class/net") else {
        return Vec::new();
    };
    let mut found: Vec<String> = entries
        .flatten()
        .filter(|entry| fs::read_link(entry.path().join("master")).is_ok_and(|master| master.ends_with(BRIDGE_LINK)))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if PathBuf::from("/sys/class/net").join(BRIDGE_LINK).exists() {
        found.push(BRIDGE_LINK.into());
    }
    found
}

/// Our table and kube-proxy's, as `family name`.
fn tables(instance: &Instance) -> Vec<String> {
    if holder(None).is_some_and(|name| name != instance.name) {
        return Vec::new();
    }
    errand::ask(errand::program("nft").args(["list", "tables"]))
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.strip_prefix("table "))
        .filter(|table| matches!(table.split(' ').nth(1), Some(TABLE | "kube-proxy")))
        .map(str::to_owned)
        .collect()
}

/// Other machines may have a route to us: without this they would reach what listens on the bridge. Pods reach the world by our address.
fn guard() -> String {
    format!(
        "table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n\
         \x20 chain input {{\n    type filter hook input priority -10; policy accept;\n\
         \x20   iifname != {{ \"lo\", \"{BRIDGE_LINK}\" }} ip daddr {{ {PODS}, {SERVICES} }} ct state new drop\n  }}\n\
         \x20 chain forward {{\n    type filter hook forward priority -10; policy accept;\n\
         \x20   iifname != \"{BRIDGE_LINK}\" ip daddr {{ {PODS}, {SERVICES} }} ct state new drop\n  }}\n\
         \x20 chain postrouting {{\n    type nat hook postrouting priority 100; policy accept;\n\
         \x20   oifname != \"{BRIDGE_LINK}\" ip saddr {PODS} ip daddr != {{ {PODS}, {SERVICES} }} masquerade\n  }}\n}}\n"
    )
}

/// A machine that has these addresses elsewhere must not have them taken away.
fn refuse_overlap() -> Result<()> {
    let routes = fs::read_to_string("/proc/net/route")?;
    for line in routes.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [link, destination, .., mask, _, _, _] = fields[..] else {
            continue;
        };
        let number = |text| u32::from_str_radix(text, 16).unwrap_or(0).swap_bytes();
        let (destination, mask) = (number(destination), number(mask));
        if mask == 0 || link == BRIDGE_LINK {
            continue;
        }
        for network in [PODS, SERVICES] {
            let (own, own_mask) = parsed(network);
            if own & mask & own_mask == destination & mask & own_mask {
                bail!(
                    "this machine already routes a part of {network} to {link}, and opsmesh needs it for itself: take that route away"
                );
            }
        }
    }
    Ok(())
}

fn parsed(network: &str) -> (u32, u32) {
    let (address, bits) = network.split_once('/').expect("address/bits");
    let address: std::net::Ipv4Addr = address.parse().expect("an address");
    let bits: u32 = bits.parse().expect("a number of bits");
    (address.to_bits(), u32::MAX << (32 - bits))
}

/// A network as the kernel's table of routes writes it.
fn little_endian(network: &str) -> String {
    format!("{:08X}", parsed(network).0.swap_bytes())
}

fn file(name: &str) -> PathBuf {
    PathBuf::from("/run/netns").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_the_kernel_writes_it() {
        assert_eq!(little_endian("10.213.0.0/24"), "0000D50A");
        assert_eq!(parsed("10.212.0.0/16").1, 0xffff_0000);
    }
}

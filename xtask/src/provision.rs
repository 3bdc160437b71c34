//! What an instance is made of, provided before any part of it starts: Debian's packages, pinned tools, the compiled product. This takes the machine's own
//! network; a confined instance has none.

use std::path::Path;

use anyhow::{Context as _, Error, Result, ensure};

use crate::instance::Instance;
use crate::progress::Progress;
use crate::tools::KITS;
use crate::{debian, product, tools};

const GIB: u64 = 1 << 30;
/// What building the pinned Go modules takes at its height: 6 GiB of compiled packages, 1.5 of sources, 1 of results.
const TO_BUILD_TOOLS: u64 = 9 * GIB;
/// What the services' compiled dependencies take.
const TO_COMPILE: u64 = 5 * GIB;
/// Images, databases and logs of an instance that is used for a while.
const TO_RUN: u64 = 2 * GIB;

/// Provides all of it, side by side: Debian's servers install while Go compiles, and the product compiles beside both.
pub(crate) fn all(instance: &Instance, compiles: bool, progress: &Progress) -> Result<()> {
    check_room(instance)?;
    std::thread::scope(|scope| {
        let debian = scope.spawn(|| debian::provide(instance, progress));
        let tools = scope.spawn(|| tools::provide(instance, KITS, progress));
        let product = if compiles { product::build(instance, progress) } else { Ok(()) };
        let panicked = |_| Error::msg("a step panicked");
        debian.join().map_err(panicked)??;
        tools.join().map_err(panicked)??;
        product
    })
}

/// Free bytes where this path is or will be.
pub(crate) fn free(path: &Path) -> Result<u64> {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(there).with_context(|| format!("cannot look at {}", there.display()))?;
    Ok(disk.f_bavail * disk.f_frsize)
}

/// What is needed where, as long as it is not there yet.
pub(crate) fn needs(instance: &Instance) -> Result<Vec<(std::path::PathBuf, u64, &'static str)>> {
    let mut needs = vec![(instance.home().to_path_buf(), TO_RUN, "run")];
    if !tools::missing(instance)?.is_empty() {
        needs.push((instance.settings.cache.clone(), TO_BUILD_TOOLS, "build the pinned tools"));
    }
    let target = instance.source("target").join(product::TARGET);
    if product::is_there(instance) && !target.exists() {
        needs.push((target, TO_COMPILE, "compile the services"));
    }
    Ok(needs)
}

fn check_room(instance: &Instance) -> Result<()> {
    for (path, needed, why) in needs(instance)? {
        let free = free(&path)?;
        ensure!(
            free >= needed,
            "{} GiB are free where {} is, and {} are needed to {why}: make room there",
            free / GIB,
            path.display(),
            needed / GIB
        );
    }
    Ok(())
}

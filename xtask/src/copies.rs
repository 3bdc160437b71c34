//! Copies of programs that run for a while: where every account can run them, and where a new build does not replace them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::instance::fingerprint;

/// A program's copy in this folder, named after the state of what it was copied from.
pub(crate) fn copied(bin: &Path, name: &str, program: &Path) -> Result<PathBuf> {
    let known = fs::metadata(program)?;
    let stamp = format!("{} {:?} {:?}", program.display(), known.len(), known.modified()?);
    let copy = format!("{name}-{}", fingerprint(stamp.as_bytes()));
    let copy = bin.join(copy);
    fs::create_dir_all(bin)?;
    // Two parts that start side by side may want the same; the second then finds it made.
    let lock = File::create(bin.join(format!(".{name}.lock")))?;
    lock.lock()?;
    if copy.exists() {
        return Ok(copy);
    }
    // Earlier ones are nobody's any more; a process that still runs keeps its own.
    for entry in fs::read_dir(bin)?.flatten() {
        let old = entry.file_name().to_string_lossy().into_owned();
        if old.strip_prefix(name).is_some_and(|rest| rest.starts_with('-')) {
            drop(fs::remove_file(entry.path()));
        }
    }
    let fresh = copy.with_extension("new");
    fs::copy(program, &fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    fs::rename(&fresh, &copy)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_want_the_same_copy_at_once_all_get_it_whole() {
        let folder = tempfile::tempdir().expect("a directory");
        let program = folder.path().join("program");
        fs::write(&program, vec![7; 8 << 20]).expect("a program");
        let bin = folder.path().join("bin");
        let together = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            let copies: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        together.wait();
                        let copy = copied(&bin, "program", &program).expect("a copy");
                        fs::read(copy).expect("a copy that is there").len()
                    })
                })
                .collect();
            for copy in copies {
                assert_eq!(copy.join().expect("no panic"), 8 << 20);
            }
        });
    }
}

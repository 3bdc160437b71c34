//! An instance: one whole opsmesh on this machine, all of its state under one directory. The main one lives in the host's network; a confined
//! one lives in a network namespace of its own, with the same addresses and ports inside.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::settings::Settings;

/// Names the variable that every process of an instance carries.
pub(crate) const MARK: &str = "OPSMESH_INSTANCE";
/// Names the variable that says which part a process belongs to.
pub(crate) const PART_MARK: &str = "OPSMESH_PART";
/// Lies in every state directory, so that nothing else is ever cleared.
const TOKEN_FILE: &str = ".opsmesh-instance";
/// Held by whoever changes it.
const LOCK: &str = "lock";

/// One opsmesh on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    /// What the environment said.
    pub(crate) settings: Settings,
    /// Short, and different for every state directory: cgroups and the node's networks are called by it.
    pub(crate) name: String,
    /// The checkout that this program was built from.
    pub(crate) checkout: PathBuf,
}

/// Held while an instance is being changed.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Instance {
    /// The instance that the environment names; it need not exist.
    pub(crate) fn at(mut settings: Settings) -> Result<Self> {
        ensure!(settings.home.is_absolute(), "OPSMESH_HOME must be an absolute path, not {}", settings.home.display());
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the checkout").to_path_buf();
        let name = name_of(&settings.home);
        let home = settings.home.clone();
        // `eval "$(./x env)"` hands us our own addresses back: those are nobody else's.
        settings.foreign.forget(|value| value.starts_with(&*home.to_string_lossy()));
        let mut instance = Self { settings, name, checkout };
        if let Ok(own) = crate::environment::own(&instance) {
            instance.settings.foreign.forget(|value| own.iter().any(|(_, mine)| mine == value));
        }
        Ok(instance)
    }

    /// The state directory.
    pub(crate) fn home(&self) -> &Path {
        &self.settings.home
    }

    /// Something in the state directory.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.settings.home.join(inside)
    }

    /// A file of the checkout.
    pub(crate) fn source(&self, inside: &str) -> PathBuf {
        self.checkout.join(inside)
    }

    /// What a part writes as it runs.
    pub(crate) fn log(&self, part: &str) -> PathBuf {
        self.path(&format!("logs/{part}.log"))
    }

    /// Whether it is there at all.
    pub(crate) fn exists(&self) -> bool {
        self.path(TOKEN_FILE).exists()
    }

    /// Makes the state directory if need be, and keeps others from changing it meanwhile.
    pub(crate) fn hold(&self) -> Result<Held> {
        let home = self.home();
        // A socket's path has at most 107 bytes, and the longest inside is `run/sockets/.s.PGSQL.17432.lock`.
        ensure!(home.as_os_str().len() <= 70, "{} is too long a path for the sockets inside: name a shorter one", home.display());
        if !self.exists() {
            // An ./x that waited while another removed all of it leaves a lock behind.
            let foreign = |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() != LOCK);
            let occupied = fs::read_dir(home).is_ok_and(|mut entries| entries.any(foreign));
            ensure!(!occupied, "{} holds something else: name an empty or new directory in OPSMESH_HOME", home.display());
            fs::create_dir_all(home).with_context(|| format!("cannot create {}; are you root?", home.display()))?;
            fs::write(self.path(TOKEN_FILE), "All of this belongs to opsmesh; `./x down --purge` removes it.\n")?;
        }
        for folder in home.ancestors() {
            let everyone = fs::metadata(folder)?.permissions().mode() & 0o001 != 0;
            ensure!(
                everyone,
                "only its owner can enter {}, and servers run as users of their own: name a directory that everyone can enter, such as /var/lib/opsmesh",
                folder.display()
            );
        }
        let lock = File::create(self.path(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another ./x is changing {} at this moment: wait for it and try again", home.display())
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        for (folder, mode) in [("bin", 0o755), ("logs", 0o755), ("run", 0o755), ("secrets", 0o700)] {
            folder_with(&self.path(folder), mode)?;
        }
        Ok(Held(lock))
    }

    /// A password of ours: made when first asked for, kept as long as the data.
    pub(crate) fn secret(&self, name: &str) -> Result<String> {
        let file = self.path("secrets").join(name);
        if let Ok(kept) = fs::read_to_string(&file) {
            return Ok(kept);
        }
        let made = hex(&random::<24>()?);
        let fresh = file.with_extension(format!("{}", std::process::id()));
        let mut writer = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .with_context(|| format!("no secrets in {}: run ./x up first", self.home().display()))?;
        writer.write_all(made.as_bytes())?;
        // Whoever links first has made it: two askers get the same answer.
        drop(fs::hard_link(&fresh, &file));
        fs::remove_file(&fresh)?;
        Ok(fs::read_to_string(&file)?)
    }
}

impl crate::settings::Foreign {
    fn forget(&mut self, ours: impl Fn(&str) -> bool) {
        for value in [&mut self.cluster, &mut self.database, &mut self.broker, &mut self.redis] {
            if value.as_deref().is_some_and(&ours) {
                *value = None;
            }
        }
        // The bridge has one address in every instance, and no password tells trace stores on it apart: beside a cluster that is not ours it is that cluster's.
        if self.cluster.is_none() && self.telemetry.as_deref().is_some_and(&ours) {
            self.telemetry = None;
        }
    }
}

/// A directory with exactly this mode.
pub(crate) fn folder_with(path: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash of some text, shortened to twelve digits: enough to tell versions of one thing apart.
pub(crate) fn fingerprint(text: &[u8]) -> String {
    hex(&Sha256::digest(text)[..6])
}

fn name_of(home: &Path) -> String {
    let last: String = home
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    if home.parent() == Some(Path::new("/var/lib")) && last.starts_with("opsmesh") {
        last
    } else {
        let digest = fingerprint(home.as_os_str().as_encoded_bytes());
        format!("opsmesh-{}", &digest[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_homes_never_share_a_name() {
        assert_eq!(name_of(Path::new("/var/lib/opsmesh")), "opsmesh");
        assert_eq!(name_of(Path::new("/var/lib/opsmesh-test")), "opsmesh-test");
        assert_ne!(name_of(Path::new("/srv/a/opsmesh")), name_of(Path::new("/srv/b/opsmesh")));
    }
}

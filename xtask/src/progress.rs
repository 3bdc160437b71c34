//! Progress a person can follow: what, how far, how long so far. On a terminal the lines of what is under way are redrawn in place; in a pipe
//! each end is a line, and what takes long says so from time to time.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::wait::spoken;

/// On a terminal: often enough that seconds are seen to pass.
const REDRAW: Duration = Duration::from_millis(500);
/// In a pipe: a sign of life each half minute keeps a log readable and a reader calm.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// The steps of one command.
pub(crate) struct Progress {
    began: Instant,
    board: Arc<Board>,
    ticker: Option<JoinHandle<()>>,
}

/// One step: ends with [`Step::done`] or [`Step::failed`].
pub(crate) struct Step {
    board: Arc<Board>,
    number: usize,
}

struct Board {
    terminal: bool,
    lines: Mutex<Lines>,
    over: Condvar,
}

#[derive(Default)]
struct Lines {
    active: Vec<Line>,
    drawn: usize,
    next: usize,
    over: bool,
}

struct Line {
    number: usize,
    name: String,
    doing: String,
    began: Instant,
    spoke: Instant,
}

impl Progress {
    /// Nothing under way yet.
    pub(crate) fn new() -> Self {
        let board = Arc::new(Board { terminal: std::io::stdout().is_terminal(), lines: Mutex::default(), over: Condvar::new() });
        let ticking = Arc::clone(&board);
        let ticker = std::thread::spawn(move || ticking.tick());
        Self { began: Instant::now(), board, ticker: Some(ticker) }
    }

    /// Begins a step.
    pub(crate) fn begin(&self, name: &str, doing: &str) -> Step {
        let mut lines = self.board.lock();
        let number = lines.next;
        lines.next += 1;
        let now = Instant::now();
        lines.active.push(Line { number, name: name.into(), doing: doing.into(), began: now, spoke: now });
        self.board.draw(&mut lines);
        Step { board: Arc::clone(&self.board), number }
    }

    /// How long all of it has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.board.lock().over = true;
        self.board.over.notify_all();
        if let Some(ticker) = self.ticker.take() {
            drop(ticker.join());
        }
    }
}

impl Step {
    /// What the step is doing now.
    pub(crate) fn note(&self, doing: &str) {
        let mut lines = self.board.lock();
        let line = lines.active.iter_mut().find(|l| l.number == self.number);
        if let Some(line) = line.filter(|line| line.doing != doing) {
            line.doing = doing.into();
            self.board.draw(&mut lines);
        }
    }

    /// The step is over, and well.
    pub(crate) fn done(self, outcome: &str) {
        self.end('✓', outcome);
    }

    /// The step is over, and not well; the reason is told by the error that ends the command.
    pub(crate) fn failed(self, why: &str) {
        self.end('✗', why);
    }

    fn end(self, mark: char, outcome: &str) {
        let mut lines = self.board.lock();
        let Some(at) = lines.active.iter().position(|l| l.number == self.number) else {
            return;
        };
        let line = lines.active.remove(at);
        let took = spoken(line.began.elapsed());
        self.board.wipe(&mut lines);
        put(&format!("{mark} {:<24} {outcome}  ({took})\n", line.name));
        self.board.draw(&mut lines);
    }
}

impl Board {
    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) {
        let mut lines = self.lock();
        while !lines.over {
            lines = self.over.wait_timeout(lines, REDRAW).unwrap_or_else(PoisonError::into_inner).0;
            self.draw(&mut lines);
            if self.terminal {
                continue;
            }
            for line in &mut lines.active {
                if line.spoke.elapsed() >= SIGN_OF_LIFE {
                    line.spoke = Instant::now();
                    put(&format!("… {}", line.shown()));
                }
            }
        }
        self.wipe(&mut lines);
    }

    fn wipe(&self, lines: &mut Lines) {
        if self.terminal && lines.drawn > 0 {
            put(&format!("\x1b[{}A\x1b[J", lines.drawn));
            lines.drawn = 0;
        }
    }

    fn draw(&self, lines: &mut Lines) {
        if !self.terminal || lines.over {
            return;
        }
        let mut text = String::new();
        if lines.drawn > 0 {
            text = format!("\x1b[{}A\x1b[J", lines.drawn);
        }
        for line in &lines.active {
            text.push_str("… ");
            text.push_str(&line.shown());
        }
        lines.drawn = lines.active.len();
        put(&text);
    }
}

impl Line {
    fn shown(&self) -> String {
        // One line on any terminal: a wrapped line would break the redrawing.
        let text = format!("{:<24} {}  ({})", self.name, self.doing, spoken(self.began.elapsed()));
        format!("{}\n", text.chars().take(96).collect::<String>())
    }
}

/// A line to the person who typed the command.
pub(crate) fn say(text: &str) {
    put(&format!("{text}\n"));
}

fn put(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away is no reason to stop half way.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

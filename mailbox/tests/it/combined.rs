//! Writes that are combined, on a real database: one bad row harms nobody, a lost commit is looked up, lines are bounded.
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
};

use chassis::{Agency, Clock, DatabaseSettings, Host, Secret, Stroke};
use mailbox::{Combined, Combiner, NotWritten};
use tests::{Moment, Running, Tap, eventually};
use tokio::{sync::watch, task::JoinSet};

use crate::post::{Post, SCHEMAS, Trouble, agency};

/// What is written, in one statement.
const WRITTEN: &str = "INSERT INTO effects";

/// Writes effects, whose subject is their key; the answer says whether it was written before.
struct Effects(Arc<Gate>);

/// Keeps every writer waiting while it is closed: what is asked for meanwhile is together.
struct Gate {
    open: watch::Sender<bool>,
    /// Transactions that were begun.
    begun: AtomicUsize,
    /// A row that the next transaction looks for is gone meanwhile.
    gone: AtomicBool,
}

impl Gate {
    async fn pass(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}

impl Combined for Effects {
    type Item = &'static str;
    type Answer = &'static str;

    async fn write(&self, stroke: Stroke<'_>, items: &[&'static str]) -> sqlx::Result<Vec<&'static str>> {
        self.0.pass().await;
        if self.0.gone.swap(false, Ordering::SeqCst) {
            return Err(sqlx::Error::RowNotFound);
        }
        let mut statement = stroke.statement(items.len());
        statement
            .push(" INSERT INTO effects (subject, etag) SELECT subject, CASE subject WHEN 'bad' THEN NULL ELSE '' END FROM scope, unnest(")
            .push_bind(items)
            .push(
                "::text[]) AS asked (subject) WHERE NOT EXISTS (SELECT FROM effects WHERE effects.subject = asked.subject)
                 RETURNING subject",
            );
        let new: Vec<(String,)> = stroke.write(statement).await?;
        Ok(items.iter().map(|item| if new.iter().any(|(new,)| new == item) { "now" } else { "before" }).collect())
    }
}

#[derive(Clone)]
struct Config {
    database: DatabaseSettings,
    gate: Arc<Gate>,
    combiner: Arc<OnceLock<Combiner<Effects>>>,
}

async fn writer(config: Config, host: &mut Host) -> anyhow::Result<()> {
    let db = host.postgres(&config.database, SCHEMAS).await?;
    if host.mode() == chassis::Mode::Serve {
        let _ = config.combiner.set(Combiner::start(host, &db, Effects(config.gate)));
    }
    Ok(())
}

struct Desk {
    post: Post,
    running: Running,
    combiner: Combiner<Effects>,
    gate: Arc<Gate>,
    tap: Tap,
}

impl Desk {
    async fn open() -> Self {
        let post = Post::open(Trouble::default()).await;
        let (tap, through) = Tap::before_url(post.to.database.url.expose(), &[WRITTEN]).await;
        let gate = Arc::new(Gate { open: watch::Sender::new(true), begun: AtomicUsize::new(0), gone: AtomicBool::new(false) });
        let config = Config {
            database: DatabaseSettings { url: Secret::new(through), ..post.to.database.clone() },
            gate: gate.clone(),
            combiner: Arc::default(),
        };
        let running = post.stage.start("writer", config.clone(), Clock::default(), writer).await;
        let combiner = config.combiner.get().unwrap().clone();
        Self { post, running, combiner, gate, tap }
    }

    /// Asks, and comes back once it waits in its line.
    async fn ask(&self, tasks: &mut JoinSet<Result<&'static str, NotWritten>>, of: &Agency, item: &'static str) {
        let (combiner, agency) = (self.combiner.clone(), of.clone());
        let mut asked = Box::pin(async move { combiner.ask(&agency, item).await.map(|(_, answer)| answer) });
        match futures::poll!(&mut asked) {
            Poll::Ready(answer) => tasks.spawn(std::future::ready(answer)),
            Poll::Pending => tasks.spawn(asked),
        };
    }

    /// Closes the gate, and waits until two transactions stand before it, of three that there may be at once.
    async fn hold(&self, tasks: &mut JoinSet<Result<&'static str, NotWritten>>) {
        self.gate.open.send_replace(false);
        self.ask(tasks, &agency(), "one").await;
        self.ask(tasks, &"sz".parse().unwrap(), "two").await;
        self.begun(2).await;
    }

    /// Loses the answer to the next commit, with its connection: the server has it, nobody hears.
    async fn loses(&self) {
        self.tap.hold(Moment::CommitAnswered(WRITTEN)).await.await.unwrap();
        self.tap.hang_up();
    }

    /// Waits until so many transactions were begun.
    async fn begun(&self, count: usize) {
        eventually(&format!("{count} transactions to be begun"), || async {
            let begun = self.gate.begun.load(Ordering::SeqCst);
            if begun == count { Ok(()) } else { Err(begun) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_together_is_written_together_and_a_bad_row_harms_nobody() {
    let desk = Desk::open().await;
    let mut tasks = JoinSet::new();
    desk.hold(&mut tasks).await;
    for item in ["three", "four", "bad", "five", "six", "seven", "eight"] {
        desk.ask(&mut tasks, &agency(), item).await;
    }
    desk.gate.open.send_replace(true);
    let answers = tasks.join_all().await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.is_err()).collect();
    assert!(matches!(refused[..], [Err(NotWritten::Store(sqlx::Error::Database(_)))]), "{answers:?}");
    assert!(answers.iter().flatten().all(|answer| *answer == "now"), "{answers:?}");
    assert_eq!(desk.post.effects().await.len(), 8);
    // Two before the gate; then all seven at once, which fails; four and three, two and one, one and one.
    assert_eq!(desk.gate.begun.load(Ordering::SeqCst), 2 + 1 + 2 + 2 + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agency_is_written_by_one_at_a_time_and_holds_up_no_other() {
    let desk = Desk::open().await;
    let mut tasks = JoinSet::new();
    desk.hold(&mut tasks).await;
    // Behind its own, and so together.
    desk.ask(&mut tasks, &agency(), "three").await;
    desk.ask(&mut tasks, &agency(), "four").await;
    desk.ask(&mut tasks, &"fs".parse().unwrap(), "five").await;
    desk.begun(3).await;
    desk.gate.open.send_replace(true);
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok("now"))), "{answers:?}");
    assert_eq!(desk.gate.begun.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_is_worth_a_second_transaction_beside_the_first() {
    let desk = Desk::open().await;
    let mut tasks = JoinSet::new();
    desk.gate.open.send_replace(false);
    desk.ask(&mut tasks, &agency(), "one").await;
    desk.begun(1).await;
    // All but the last of them would wait for the first: they are together.
    for _ in 0..64 {
        desk.ask(&mut tasks, &agency(), "long").await;
    }
    desk.begun(2).await;
    desk.ask(&mut tasks, &"sz".parse().unwrap(), "other").await;
    desk.begun(3).await;
    desk.gate.open.send_replace(true);
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(desk.gate.begun.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_looked_up_and_has_one_effect() {
    let desk = Desk::open().await;
    let agency = agency();
    let (answer, ()) = tokio::join!(desk.combiner.ask(&agency, "one"), desk.loses());
    // The first time it was written and nobody heard; the second time it was found.
    assert_eq!(answer.unwrap(), ("one", "before"));
    assert_eq!(desk.combiner.ask(&agency, "two").await.unwrap(), ("two", "now"));
    assert_eq!(desk.post.effects().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_cannot_be_looked_up_is_said_to_be_unknown() {
    let desk = Desk::open().await;
    let (agency, always) = (agency(), async {
        loop {
            desk.loses().await
        }
    });
    let answer = tokio::select! {
        answer = desk.combiner.ask(&agency, "one") => answer,
        () = always => unreachable!("it never ends"),
    };
    assert!(matches!(answer, Err(NotWritten::Unknown)), "{answer:?}");
    desk.tap.rest().await;
    assert_eq!(desk.combiner.ask(&agency, "one").await.unwrap(), ("one", "before"), "whoever asks again finds it");
    assert_eq!(desk.post.effects().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_between_two_looks_is_asked_for_again() {
    let desk = Desk::open().await;
    desk.gate.gone.store(true, Ordering::SeqCst);
    assert_eq!(desk.combiner.ask(&agency(), "one").await.unwrap(), ("one", "now"));
    assert_eq!(desk.gate.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_full_is_closed_to_its_agency_and_open_to_others() {
    let desk = Desk::open().await;
    let mut tasks = JoinSet::new();
    desk.hold(&mut tasks).await;
    // Whoever would take from a line that is long has something else to do.
    desk.ask(&mut tasks, &"fs".parse().unwrap(), "five").await;
    desk.begun(3).await;
    for _ in 0..2_048 {
        desk.ask(&mut tasks, &agency(), "many").await;
    }
    // One more than there is room for.
    desk.ask(&mut tasks, &agency(), "many").await;
    let first = tasks.join_next().await.unwrap().unwrap();
    assert!(matches!(first, Err(NotWritten::Full)), "{first:?}");
    desk.ask(&mut tasks, &"sz".parse().unwrap(), "three").await;
    desk.gate.open.send_replace(true);
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(answers.len(), 2_052);
    assert_eq!(desk.post.effects().await.iter().filter(|(subject, _)| subject != "many").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_the_process_stops_is_still_written_and_then_nothing_is_taken() {
    let Desk { post, running, combiner, tap: _tap, .. } = Desk::open().await;
    let mut tasks = JoinSet::new();
    for item in ["one", "two", "three"] {
        let (combiner, agency) = (combiner.clone(), agency());
        tasks.spawn(async move { combiner.ask(&agency, item).await });
    }
    eventually("the first to be written", || async { if post.effects().await.is_empty() { Err("none yet") } else { Ok(()) } })
        .await;
    running.stop().await.unwrap();
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(NotWritten::Stopping))), "{answers:?}");
    let written = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(post.effects().await.len(), written);
    assert!(matches!(combiner.ask(&agency(), "late").await, Err(NotWritten::Stopping)));
}

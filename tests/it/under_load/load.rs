//! What goes on while somebody is killed: callers open tickets, a worker hands in what it saw of devices that come and go. Each repeats a call with the
//! same `request_id` until it is acknowledged, as every caller of ours must.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use proto::{
    inspection::v1::{self as inspection, inspection_client::InspectionClient},
    ticketing::v1::{self as ticketing, ticketing_client::TicketingClient},
};
use tests::Client;
use tokio::{sync::Mutex, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    house::{DEVICES, House},
    seed::draw,
};
use crate::services::{AGENCY, open_run_as, program, seen};

/// Calls in flight; more only make the two cores that this shares with the servers slower.
const CALLERS: u64 = 6;
/// Calls that a crowd adds: half as many again as are written in one transaction at most, so that there is a second one beside it.
const CROWD: u64 = 384;
/// Those of a crowd that come over one connection.
const TOGETHER: u64 = 32;
/// Between two attempts of one call.
const AGAIN_AFTER: Duration = Duration::from_millis(40);
/// The longest that nobody is answered: a broker or a database that starts, and everybody finding it again.
const STANDSTILL: Duration = Duration::from_secs(120);

/// What callers were told.
#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    /// `request_id` and the ticket's name.
    pub(crate) tickets: Vec<(Uuid, String)>,
    /// Asked for and never acknowledged: it may be there, whole, or not.
    pub(crate) unknown: Vec<Uuid>,
    /// Of each device, what was seen in each round in their order; `true`: well.
    pub(crate) seen: Vec<Vec<bool>>,
}

/// The load.
pub(crate) struct Load {
    told: Told,
    tasks: JoinSet<()>,
    /// Those who have gathered.
    crowd: Option<(CancellationToken, JoinSet<()>)>,
    /// How many crowds there have been: everybody asks for something of their own.
    crowds: u64,
}

/// What all callers share.
#[derive(Clone, Default)]
struct Told {
    stop: CancellationToken,
    rests: bool,
    tickets: Arc<AtomicU64>,
    rounds: Arc<AtomicU64>,
    refusals: Arc<std::sync::Mutex<Vec<Duration>>>,
    failures: Arc<AtomicU64>,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

impl Load {
    pub(crate) async fn begin(house: &House, seed: u64) -> Self {
        Self::begin_with(house, seed, Told::default()).await
    }

    /// At half of what it could be: whoever was answered rests for as long as it took.
    pub(crate) async fn begin_at_half(house: &House, seed: u64) -> Self {
        Self::begin_with(house, seed, Told { rests: true, ..Told::default() }).await
    }

    async fn begin_with(house: &House, seed: u64, told: Told) -> Self {
        told.acknowledged.lock().await.seen = vec![Vec::new(); usize::try_from(DEVICES).unwrap()];
        let mut operator = InspectionClient::new(house.way(&house.inspection, "operator"));
        program(&mut operator).await;
        let worker = InspectionClient::new(house.way(&house.inspection, "worker"));
        let mut tasks = JoinSet::new();
        for caller in 0..CALLERS {
            let desk = TicketingClient::new(house.way(&house.ticketing, "desk_agent"));
            tasks.spawn(call(desk, seed, caller, told.clone()));
        }
        tasks.spawn(inspect(operator, worker, seed, told.clone()));
        Self { told, tasks, crowd: None, crowds: 0 }
    }

    /// Many more call, so that the line before ticketing's database is long, until they [disperse](Self::disperse).
    pub(crate) async fn gather(&mut self, house: &House, seed: u64) {
        let told = Told { stop: self.told.stop.child_token(), ..self.told.clone() };
        let mut crowd = JoinSet::new();
        for gateway in 0..CROWD / TOGETHER {
            let desk = TicketingClient::new(house.way(&house.ticketing, "desk_agent"));
            for caller in 0..TOGETHER {
                let number = CALLERS + self.crowds * CROWD + gateway * TOGETHER + caller;
                crowd.spawn(call(desk.clone(), seed, number, told.clone()));
            }
        }
        self.crowds += 1;
        self.crowd = Some((told.stop, crowd));
        self.goes_on_in_the_crowd().await;
    }

    /// The crowd goes, if there is one.
    pub(crate) async fn disperse(&mut self) {
        if let Some((stop, crowd)) = self.crowd.take() {
            stop.cancel();
            crowd.join_all().await;
        }
    }

    /// Waits until as many tickets were acknowledged since this was called as there are callers in a crowd: whoever waits for a transaction that does not end cannot be among those
    /// who are acknowledged, so it takes others beside it.
    pub(crate) async fn goes_on_in_the_crowd(&self) {
        let before = self.tickets();
        self.until("a crowd is answered", || self.tickets() >= before + CALLERS + CROWD).await;
    }

    /// Waits until somebody was answered since this was called: kills fall into work that is under way.
    pub(crate) async fn goes_on(&self) {
        let answers = || self.tickets() + self.rounds();
        let before = answers();
        self.until("somebody is answered", || answers() >= before + CALLERS).await;
    }

    /// Waits until every caller of every service was answered since this was called.
    pub(crate) async fn goes_on_everywhere(&self) {
        let (tickets, rounds) = (self.tickets(), self.rounds());
        // A round that was under way may have been answered as good as before.
        self.until("everybody is answered", || self.tickets() >= tickets + CALLERS && self.rounds() >= rounds + 2).await;
    }

    /// Waits until so many were refused since this was called: the fault is felt, and said. Gives how long each of them waited.
    pub(crate) async fn is_refused(&self, times: usize) -> Vec<Duration> {
        let refusals = || self.told.refusals.lock().unwrap();
        let before = refusals().len();
        self.until("callers are refused", || refusals().len() >= before + times).await;
        refusals()[before..].to_vec()
    }

    /// Calls that failed until now, for whatever reason; each was repeated.
    pub(crate) fn failures(&self) -> u64 {
        self.told.failures.load(Ordering::Relaxed)
    }

    /// Tickets that were acknowledged until now.
    pub(crate) fn tickets(&self) -> u64 {
        self.told.tickets.load(Ordering::Relaxed)
    }

    /// Rounds over all devices that were acknowledged until now.
    pub(crate) fn rounds(&self) -> u64 {
        self.told.rounds.load(Ordering::Relaxed)
    }

    async fn until(&self, what: &str, happens: impl Fn() -> bool) {
        let began = Instant::now();
        while !happens() {
            assert!(began.elapsed() < STANDSTILL, "{what}: not within {STANDSTILL:?}");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Ends it; what was acknowledged.
    pub(crate) async fn end(mut self) -> Acknowledged {
        self.disperse().await;
        self.told.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.told.acknowledged.lock().await)
    }
}

async fn call(desk: TicketingClient<Client>, seed: u64, caller: u64, told: Told) {
    let mut number = 0;
    while !told.stop.is_cancelled() {
        let id = Uuid::from_u64_pair(draw(seed ^ caller, number), (caller << 32) | number);
        number += 1;
        let request = ticketing::CreateTicketRequest {
            parent: format!("agencies/{AGENCY}"),
            ticket: Some(ticketing::Ticket {
                title: format!("工单 {id}"),
                grade: ticketing::Grade::Iii.into(),
                ..ticketing::Ticket::default()
            }),
            request_id: id.to_string(),
            ..Default::default()
        };
        let answer = until_answered(&told.stop, &told, || {
            let (mut desk, request) = (desk.clone(), request.clone());
            async move { desk.create_ticket(request).await }
        })
        .await;
        let mut acknowledged = told.acknowledged.lock().await;
        match answer {
            Some(ticket) => acknowledged.tickets.push((id, ticket.name)),
            None => acknowledged.unknown.push(id),
        }
        told.tickets.fetch_add(1, Ordering::Relaxed);
    }
}

/// Rounds over all devices; a third of what is seen is a defect.
async fn inspect(operator: InspectionClient<Client>, worker: InspectionClient<Client>, seed: u64, told: Told) {
    for round in 0_i64.. {
        let tick = 60 * (round + 1);
        let asked = Uuid::from_u64_pair(seed, u64::try_from(round).unwrap());
        let Some(run) = until_answered(&told.stop, &told, || {
            let mut operator = operator.clone();
            async move { open_run_as(&mut operator, tick, asked).await }
        })
        .await
        else {
            return;
        };
        let well: Vec<bool> =
            (0..DEVICES).map(|device| !draw(seed ^ 7, asked.as_u64_pair().1 * DEVICES + device).is_multiple_of(3)).collect();
        let results = well.iter().enumerate().map(|(device, well)| seen(&format!("d-{device}"), tick + 1, well.then_some(2.0)));
        let request =
            inspection::SubmitResultsRequest { run: run.name, shard: 0, results: results.collect(), ..Default::default() };
        // A round that was begun is ended: what is not acknowledged may or may not be recorded, and would leave open what to expect.
        let never = CancellationToken::new();
        until_answered(&never, &told, || {
            let (mut worker, request) = (worker.clone(), request.clone());
            async move { worker.submit_results(request).await }
        })
        .await
        .expect("never stopped");
        for (seen, well) in told.acknowledged.lock().await.seen.iter_mut().zip(&well) {
            seen.push(*well);
        }
        told.rounds.fetch_add(1, Ordering::Relaxed);
        if told.stop.is_cancelled() {
            return;
        }
    }
}

/// Repeats a call until it is acknowledged, or until told to stop.
async fn until_answered<T, F>(stop: &CancellationToken, told: &Told, call: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    loop {
        let asked = Instant::now();
        match call().await {
            Ok(answer) => {
                if told.rests {
                    tokio::time::sleep(asked.elapsed()).await;
                }
                return Some(answer.into_inner());
            }
            Err(status) => {
                told.failures.fetch_add(1, Ordering::Relaxed);
                match status.code() {
                    Code::InvalidArgument
                    | Code::NotFound
                    | Code::AlreadyExists
                    | Code::PermissionDenied
                    | Code::Unauthenticated => {
                        panic!("no fault makes a call wrong: {status:?}")
                    }
                    // Said by the service, with its reason; anything else is a caller who waited in vain.
                    Code::Unavailable if !status.details().is_empty() => told.refusals.lock().unwrap().push(asked.elapsed()),
                    _ => {}
                }
            }
        }
        if stop.is_cancelled() {
            return None;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

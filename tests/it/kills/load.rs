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

use super::house::{DEVICES, House, draw};
use crate::services::{AGENCY, open_run_as, program, seen};

/// Calls in flight; more only make the two cores that this shares with the servers slower.
const CALLERS: u64 = 6;
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
    stop: CancellationToken,
    answers: Arc<AtomicU64>,
    acknowledged: Arc<Mutex<Acknowledged>>,
    tasks: JoinSet<()>,
}

impl Load {
    pub(crate) async fn begin(house: &House, seed: u64) -> Self {
        let load =
            Self { stop: CancellationToken::new(), answers: Arc::default(), acknowledged: Arc::default(), tasks: JoinSet::new() };
        load.acknowledged.lock().await.seen = vec![Vec::new(); usize::try_from(DEVICES).unwrap()];
        let mut operator = InspectionClient::new(house.way(&house.inspection, "operator"));
        program(&mut operator).await;
        let worker = InspectionClient::new(house.way(&house.inspection, "worker"));
        let mut load = load;
        for caller in 0..CALLERS {
            let desk = TicketingClient::new(house.way(&house.ticketing, "desk_agent"));
            let (stop, answers, acknowledged) = (load.stop.clone(), load.answers.clone(), load.acknowledged.clone());
            load.tasks.spawn(call(desk, seed, caller, stop, answers, acknowledged));
        }
        let (stop, answers, acknowledged) = (load.stop.clone(), load.answers.clone(), load.acknowledged.clone());
        load.tasks.spawn(inspect(operator, worker, seed, stop, answers, acknowledged));
        load
    }

    /// Waits until somebody was answered since this was called: kills fall into work that is under way.
    pub(crate) async fn goes_on(&self) {
        let before = self.answers.load(Ordering::Relaxed);
        let began = Instant::now();
        while self.answers.load(Ordering::Relaxed) < before + CALLERS {
            assert!(began.elapsed() < STANDSTILL, "nobody has been answered for {STANDSTILL:?}");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Ends it; what was acknowledged.
    pub(crate) async fn end(mut self) -> Acknowledged {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.acknowledged.lock().await)
    }
}

async fn call(
    desk: TicketingClient<Client>,
    seed: u64,
    caller: u64,
    stop: CancellationToken,
    answers: Arc<AtomicU64>,
    acknowledged: Arc<Mutex<Acknowledged>>,
) {
    let mut number = 0;
    while !stop.is_cancelled() {
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
        let answer = until_answered(&stop, || {
            let (mut desk, request) = (desk.clone(), request.clone());
            async move { desk.create_ticket(request).await }
        })
        .await;
        let mut acknowledged = acknowledged.lock().await;
        match answer {
            Some(ticket) => acknowledged.tickets.push((id, ticket.name)),
            None => acknowledged.unknown.push(id),
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// Rounds over all devices; a third of what is seen is a defect.
async fn inspect(
    operator: InspectionClient<Client>,
    worker: InspectionClient<Client>,
    seed: u64,
    stop: CancellationToken,
    answers: Arc<AtomicU64>,
    acknowledged: Arc<Mutex<Acknowledged>>,
) {
    for round in 0_i64.. {
        let tick = 60 * (round + 1);
        let asked = Uuid::from_u64_pair(seed, u64::try_from(round).unwrap());
        let Some(run) = until_answered(&stop, || {
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
        until_answered(&never, || {
            let (mut worker, request) = (worker.clone(), request.clone());
            async move { worker.submit_results(request).await }
        })
        .await
        .expect("never stopped");
        for (seen, well) in acknowledged.lock().await.seen.iter_mut().zip(&well) {
            seen.push(*well);
        }
        answers.fetch_add(1, Ordering::Relaxed);
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Repeats a call until it is acknowledged, or until told to stop.
async fn until_answered<T, F>(stop: &CancellationToken, call: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    loop {
        match call().await {
            Ok(answer) => return Some(answer.into_inner()),
            Err(status) => assert!(
                !matches!(
                    status.code(),
                    Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::PermissionDenied | Code::Unauthenticated
                ),
                "no kill makes a call wrong: {status:?}"
            ),
        }
        if stop.is_cancelled() {
            return None;
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

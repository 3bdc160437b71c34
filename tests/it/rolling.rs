//! All services are rolled while calls come in: none fails that its caller may not simply repeat, and none has to be repeated for long.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use proto::{
    inspection::v1::{self as inspection, inspection_client::InspectionClient},
    inventory::v1::{self as inventory, inventory_client::InventoryClient},
    ticketing::v1::{self as ticketing, ticketing_client::TicketingClient},
};
use tests::eventually;
use tokio::{sync::Mutex, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Response, Status};

use crate::{
    cluster::{Estate, PLATFORM, Way, kubectl},
    services::request_id,
};

/// Callers of each service.
const CALLERS: usize = 3;
/// Between calls of one caller: the cluster shares two cores with them.
const PACE: Duration = Duration::from_millis(20);
/// Before a call is repeated.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// A call that is repeated more often has failed, whatever its answer is called.
const ATTEMPTS: u32 = 20;

mod alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_service_is_rolled_under_load_and_no_call_fails() {
        let estate = Estate::found("rolling").await;
        let parent = format!("agencies/{}", estate.name);
        let told = Told::default();
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(open(estate.desk("desk_agent").await, parent.clone(), told.clone()));
            callers.spawn(list_devices(estate.ledger().await, parent.clone(), told.clone()));
            callers.spawn(list_findings(estate.inspection().await, parent.clone(), told.clone()));
        }
        for service in ["ticketing", "inventory", "inspection"] {
            let before = told.opened.load(Ordering::Relaxed);
            eventually("calls to come in", || async {
                let now = told.opened.load(Ordering::Relaxed);
                if now > before { Ok(()) } else { Err(now) }
            })
            .await;
            kubectl(&["rollout", "restart", "-n", PLATFORM, &format!("deployment/{service}")]).await.unwrap();
            kubectl(&["rollout", "status", "-n", PLATFORM, &format!("deployment/{service}"), "--timeout=180s"]).await.unwrap();
        }
        told.stop.cancel();
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let (opened, repeated) = (told.opened.load(Ordering::Relaxed), told.repeated.load(Ordering::Relaxed));
        println!("{opened} tickets opened while everything was rolled; {repeated} calls were repeated");
        assert_eq!(all(&estate, &parent).await, opened, "each call opened one ticket");
    }
}

/// What all callers share.
#[derive(Clone, Default)]
struct Told {
    stop: CancellationToken,
    opened: Arc<AtomicU32>,
    repeated: Arc<AtomicU32>,
}

async fn open(desk: TicketingClient<Way>, parent: String, told: Told) {
    let desk = Mutex::new(desk);
    while !told.stop.is_cancelled() {
        let request = ticketing::CreateTicketRequest {
            parent: parent.clone(),
            ticket: Some(ticketing::Ticket {
                title: "滚动升级".into(),
                grade: ticketing::Grade::Iii.into(),
                ..ticketing::Ticket::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        answered(&told.repeated, || async { desk.lock().await.create_ticket(request.clone()).await }).await;
        told.opened.fetch_add(1, Ordering::Relaxed);
    }
}

async fn list_devices(ledger: InventoryClient<Way>, parent: String, told: Told) {
    let ledger = Mutex::new(ledger);
    while !told.stop.is_cancelled() {
        let request = inventory::ListDevicesRequest { parent: parent.clone(), ..Default::default() };
        answered(&told.repeated, || async { ledger.lock().await.list_devices(request.clone()).await }).await;
    }
}

async fn list_findings(inspection: InspectionClient<Way>, parent: String, told: Told) {
    let inspection = Mutex::new(inspection);
    while !told.stop.is_cancelled() {
        let request = inspection::ListFindingsRequest { parent: parent.clone(), ..Default::default() };
        answered(&told.repeated, || async { inspection.lock().await.list_findings(request.clone()).await }).await;
    }
}

/// Repeats a call as its caller may: where nothing was said, or that it is tried again.
async fn answered<T, F: Future<Output = Result<Response<T>, Status>>>(repeated: &AtomicU32, call: impl Fn() -> F) -> T {
    for _ in 0..ATTEMPTS {
        match call().await {
            Ok(answer) => {
                tokio::time::sleep(PACE).await;
                return answer.into_inner();
            }
            Err(status) if status.code() == Code::Unavailable || unsaid(&status) => {
                repeated.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(status) => panic!("a call failed: {status:?}"),
        }
    }
    panic!("a call was repeated {ATTEMPTS} times");
}

/// Whether it is the caller's own end that gave up: the connection closed under a call that had not been sent yet.
fn unsaid(status: &Status) -> bool {
    status.code() == Code::Cancelled && std::error::Error::source(status).is_some()
}

/// How many tickets there are, page by page.
async fn all(estate: &Estate, parent: &str) -> u32 {
    let mut desk = estate.desk("auditor").await;
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let list = ticketing::ListTicketsRequest { parent: parent.to_owned(), page_size: 100, page_token, ..Default::default() };
        let page = desk.list_tickets(list).await.unwrap().into_inner();
        count += u32::try_from(page.tickets.len()).unwrap();
        if page.next_page_token.is_empty() {
            return count;
        }
        page_token = page.next_page_token;
    }
}

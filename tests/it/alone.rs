//! Kills: each once, in the middle of a run. The run ends, nothing is lost, one ticket, no result twice.
use std::time::Duration;

use serde_json::json;
use tests::{told, within};

use crate::cluster::{Estate, PLATFORM, kubectl, program};

/// Devices of the run; one of them is always down.
const DEVICES: usize = 120;
/// A server comes back, leases and connections are found again, and the run goes on.
const RECOVERY: Duration = Duration::from_secs(150);

/// A server that takes its time, so that a run is long enough to be disturbed.
async fn slow_server() -> (tokio::task::JoinHandle<()>, u16) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind((told("OPSMESH_BRIDGE"), 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "the test owns it and ends it")]
    let serving = tokio::spawn(async move {
        let mut answers = tokio::task::JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            answers.spawn(async move {
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                tokio::time::sleep(Duration::from_millis(400)).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            });
        }
    });
    (serving, port)
}

async fn kill_pods(namespace: &str, selector: &str) {
    kubectl(&["delete", "pod", "-n", namespace, "-l", selector, "--force", "--grace-period=0"]).await.unwrap();
}

/// Kills a server's process where it stands, and starts it again as a person would.
async fn kill_server(part: &str) {
    program(&told("OPSMESH_X"), &["stop", "--kill", part]).await.unwrap();
    program(&told("OPSMESH_X"), &["start", part]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_in_the_middle_of_a_run_it_ends_complete() {
    let estate = Estate::found("kills").await;
    let (serving, port) = slow_server().await;
    for number in 0..DEVICES {
        // TEST-NET-1 is nobody: the last device never answers.
        let address = if number + 1 == DEVICES { "192.0.2.1".to_owned() } else { told("OPSMESH_BRIDGE") };
        estate.enter(&format!("d-{number:03}"), &address).await;
    }
    let plan = json!({
        "apiVersion": "opsmesh.io/v1alpha1", "kind": "InspectionPlan", "metadata": {"name": "wide"},
        "spec": {
            "schedule": {"cron": "0 3 1 1 *"},
            "items": [{"id": "page", "title": "页面", "timeout": "2s", "probe": {"http": {"port": port}}}],
            "runner": {"devicesPerWorker": 60, "concurrency": 2},
            "deadline": "5m",
        },
    });
    estate.apply(&plan).await.unwrap();
    kubectl(&["wait", "--for=condition=Ready", "insp/wide", "-n", &estate.name, "--timeout=30s"]).await.unwrap();

    let victims = ["nobody", "operator", "inspection", "ticketing", "worker", "rabbitmq", "postgres", "kube-apiserver"];
    for victim in victims {
        let name = format!("without-{victim}");
        let began = tokio::time::Instant::now();
        estate.run_now("wide", &name).await;
        let run = estate.run_in(&name, &["Running"], Duration::from_secs(60)).await;
        within(Duration::from_secs(60), "some results, not all", || async {
            let recorded = estate.told_of(&run).await.counts.unwrap_or_default().recorded;
            if recorded > 0 { Ok(()) } else { Err(recorded) }
        })
        .await;
        match victim {
            "nobody" => {}
            "operator" => kill_pods(PLATFORM, "app.kubernetes.io/name=opsmesh-operator").await,
            "inspection" => kill_pods(PLATFORM, "app.kubernetes.io/name=inspection").await,
            "ticketing" => kill_pods(PLATFORM, "app.kubernetes.io/name=ticketing").await,
            "worker" => kill_pods(&estate.name, &format!("job-name={name}")).await,
            server => kill_server(server).await,
        }
        let run = estate.run_in(&name, &["Succeeded", "Incomplete", "Skipped"], RECOVERY).await;
        println!("{victim}: {} after {:?}", run["status"], began.elapsed());
        assert_eq!(run["status"]["phase"], "Succeeded", "{victim}: {run:#}");
        let counts = estate.told_of(&run).await.counts.unwrap();
        let all = i32::try_from(DEVICES).unwrap();
        assert_eq!((counts.expected, counts.recorded, counts.passed, counts.failed), (all, all, all - 1, 1), "{victim}");
    }
    let ticket = within(RECOVERY, "the one ticket", || async {
        match estate.tickets().await?.as_slice() {
            [ticket] => Ok(ticket.clone()),
            other => Err(format!("{other:#?}")),
        }
    })
    .await;
    assert!(ticket.device.ends_with("/d-119"), "{ticket:#?}");
    serving.abort();
}

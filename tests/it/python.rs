//! Another agency's system, written in Python with nothing but grpcio and our `.proto` files.
use std::{path::Path, process::Command};

use serde_json::{Value, json};
use tests::{Stage, told};

/// The agency that the system belongs to.
const AGENCY: &str = "gz-test";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_python_asks_again_pages_through_watches_and_is_refused() {
    let mut stage = Stage::set().await;
    let broker = mailbox::BrokerSettings { url: chassis::Secret::new(stage.broker()) };
    let config = ticketing::Config { database: stage.database().await, broker };
    let running = stage.start("ticketing", config, chassis::Clock::default(), ticketing::start).await;
    let token = stage.token_file(&stage.issuer.person("oa-system", &["requester"], &[AGENCY]));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/python/desk.py");
    let (site, address) = (told("OPSMESH_PYTHON_SITE"), running.grpc.to_string());
    let output = tokio::task::spawn_blocking(move || {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", site).env("PYTHONDONTWRITEBYTECODE", "1").arg(sample);
        python.args(["--address", &address, "--agency", AGENCY, "--token-file"]).arg(token).output().unwrap()
    })
    .await
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["made"], said["again"], "the same request again is the same ticket");
    let mut made: Vec<&str> = said["made"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(said["watched"], json!(made), "each once, as it was opened");
    assert_eq!(said["resumed"], json!(made[2..]), "what came after the second");
    made.reverse();
    assert_eq!(said["listed"], json!(made), "newest first, each once");
    assert_eq!(said["pages"], 3);
    let refusal = |name: &str, field: &str| said["refusals"][name][field].clone();
    assert_eq!(refusal("elsewhere", "reason"), "AGENCY_NOT_FOUND");
    assert_eq!(refusal("elsewhere", "message"), "没有使用方“of-somebody-else”");
    assert_eq!(refusal("not_ours_to_do", "reason"), "ROLE_MISSING");
    assert_eq!(refusal("nameless", "field"), "ticket.title");
    assert_eq!(refusal("nameless", "code"), "INVALID_ARGUMENT");
}

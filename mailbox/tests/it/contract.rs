//! What others rely on: the document of the facts, and a consumer of a few lines.
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tests::told;

use crate::post::{Post, Trouble, tell_at_once, tell_now};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> PathBuf {
    root().join("docs/asyncapi.json")
}

/// A program that ends with its test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_document_beside_the_docs_is_what_the_wire_says() {
    let mut drawn = mailbox::asyncapi();
    drawn.sort_all_objects();
    let text = format!("{}\n", serde_json::to_string_pretty(&drawn).unwrap());
    #[expect(clippy::disallowed_methods, reason = "a test is told to write by its environment")]
    if std::env::var("UPDATE").is_ok() {
        fs::write(document(), &text).unwrap();
    }
    let held = fs::read_to_string(document()).unwrap_or_default();
    assert!(held == text, "docs/asyncapi.json is stale: UPDATE=1 cargo test -p mailbox the_document");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_asyncapi_and_a_consumer_of_twenty_lines_hears_facts_that_are_as_it_says() {
    let post = Post::open(Trouble::default()).await;
    let _sender = post.sender().await;
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", told("OPSMESH_PYTHON_SITE")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.arg(root().join("samples/python/facts.py")).args([&post.stage.broker(), "#.gz"]);
    let mut child = Started(python.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let (out, err) = (child.0.stdout.take().unwrap(), child.0.stderr.take().unwrap());
    let heard = tokio::task::spawn_blocking(move || {
        let mut ready = String::new();
        BufReader::new(err).read_line(&mut ready).unwrap();
        (ready, out)
    });
    let (ready, out) = heard.await.unwrap();
    assert_eq!(ready, "ready\n");
    tell_now(&post.outgoing(), "agencies/gz/xs/1", "7").await;
    // These wait together.
    tell_at_once(&post.outgoing(), &[("agencies/gz/xs/2", "8"), ("agencies/gz/xs/1", "9")]).await;
    let lines = tokio::task::spawn_blocking(move || BufReader::new(out).lines().take(3).collect::<Result<Vec<String>, _>>());
    let facts: Vec<Value> = lines.await.unwrap().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (fact, (subject, etag)) in
        facts.iter().zip([("agencies/gz/xs/1", "7"), ("agencies/gz/xs/2", "8"), ("agencies/gz/xs/1", "9")])
    {
        assert_eq!((&fact["type"], &fact["subject"]), (&json!("opsmesh.inventory.v1.DeviceCreated"), &json!(subject)));
        assert_eq!(fact["data"]["device"]["etag"], etag);
    }
    let several = facts.clone();
    tokio::task::spawn_blocking(move || facts.iter().for_each(validate)).await.unwrap();
    tokio::task::spawn_blocking(move || validate(&several.into())).await.unwrap();
}

fn validate(fact: &Value) {
    let mut node = Command::new("node");
    node.env("NODE_PATH", told("OPSMESH_NODE_MODULES")).arg(root().join("mailbox/tests/asyncapi.js")).arg(document());
    let mut child = Started(node.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    child.0.stdin.take().unwrap().write_all(fact.to_string().as_bytes()).unwrap();
    let mut complaint = String::new();
    std::io::Read::read_to_string(&mut child.0.stderr.take().unwrap(), &mut complaint).unwrap();
    assert!(child.0.wait().unwrap().success(), "{complaint}");
}

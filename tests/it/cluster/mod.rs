//! The platform on the real cluster, as its users reach it: kubectl, gRPC with a token, the trace store.

mod estate;
mod traces;
mod web;

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tests::told;
use tokio::task::spawn_blocking;

pub(crate) use estate::{Estate, Way};
pub(crate) use traces::Trace;
pub(crate) use web::Web;

/// The namespace in which the platform is installed.
pub(crate) const PLATFORM: &str = "opsmesh";

/// Runs kubectl as a user does, with this on its standard input.
pub(crate) async fn kubectl_with(arguments: &[&str], input: &str) -> Result<String, String> {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let input = input.to_owned();
    spawn_blocking(move || run("kubectl", &arguments, &input)).await.unwrap()
}

/// Runs kubectl as a user does.
pub(crate) async fn kubectl(arguments: &[&str]) -> Result<String, String> {
    kubectl_with(arguments, "").await
}

/// Runs kubectl and reads its JSON.
pub(crate) async fn kubectl_json(arguments: &[&str]) -> Result<Value, String> {
    let text = kubectl(&[arguments, &["-o", "json"]].concat()).await?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// Runs any program to its end.
pub(crate) async fn program(name: &str, arguments: &[&str]) -> Result<String, String> {
    let (name, arguments): (String, Vec<String>) =
        (name.to_owned(), arguments.iter().map(|&argument| argument.to_owned()).collect());
    spawn_blocking(move || run(&name, &arguments, "")).await.unwrap()
}

fn run(name: &str, arguments: &[String], input: &str) -> Result<String, String> {
    use std::io::Write;
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).map_err(|error| error.to_string())?;
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| error.to_string())?;
    let (out, err) = (String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned());
    if status.success() { Ok(out) } else { Err(format!("{name} {}: {out}{err}", arguments.join(" "))) }
}

/// The address of a service of the platform, from the host.
pub(crate) async fn service(name: &str) -> String {
    let address = kubectl(&["get", "service", name, "-n", PLATFORM, "-o", "jsonpath={.spec.clusterIP}"]).await.unwrap();
    format!("http://{address}:7000")
}

/// A token of a person, from the local issuer.
pub(crate) async fn token(name: &str, role: &str, agency: &str) -> String {
    let token = program(&told("OPSMESH_X"), &["token", "--as", name, "--role", role, "--agency", agency]).await.unwrap();
    token.trim().to_owned()
}

//! The local issuer: says which key signs the tokens that `./x token` makes, in the two documents that OpenID Connect asks for.

use std::thread;

use anyhow::{Result, anyhow};
use serde_json::json;
use tiny_http::{Header, Response, Server};

use crate::addresses::{BRIDGE, ISSUER, LOOPBACK};
use crate::certificates::key;
use crate::http;
use crate::instance::Instance;
use crate::keys::Key;
use crate::launch::Launch;
use crate::tools;

/// What tokens call their issuer; pods and the host find its documents there.
pub(crate) fn url() -> String {
    format!("http://{}", ISSUER.at(BRIDGE))
}

/// This very program, from a place where an account of nobody's can run it; it is handed the public key only.
pub(crate) fn launch(instance: &Instance) -> Result<Launch> {
    let public = Key::kept(&key(instance, "issuer"))?.public();
    Ok(Launch::of(tools::own_program(instance)?).user("65532").arg("issuer").arg(public.to_string()))
}

/// Whether it answers.
pub(crate) fn ready(_: &Instance) -> Result<(), String> {
    http::get(&ISSUER.at(LOOPBACK), "/.well-known/openid-configuration").map(drop)
}

/// Serves until it is stopped.
pub(crate) fn serve(public: &str) -> Result<()> {
    let public: serde_json::Value = serde_json::from_str(public)?;
    let configuration = json!({
        "issuer": url(),
        "jwks_uri": format!("{}/jwks.json", url()),
        "id_token_signing_alg_values_supported": ["ES256"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    })
    .to_string();
    let keys = json!({"keys": [public]}).to_string();
    let listen = |address| {
        let place = ISSUER.at(address);
        Server::http(&place).map_err(|error| anyhow!("cannot listen on {place}: {error}"))
    };
    let (loopback, bridge) = (listen(LOOPBACK)?, listen(BRIDGE)?);
    thread::scope(|scope| {
        scope.spawn(|| answer(&loopback, &configuration, &keys));
        answer(&bridge, &configuration, &keys);
    });
    Ok(())
}

fn answer(server: &Server, configuration: &str, keys: &str) {
    let json = Header::from_bytes("content-type", "application/json").expect("a header");
    for request in server.incoming_requests() {
        let body = match request.url() {
            "/.well-known/openid-configuration" => Some(configuration),
            "/jwks.json" => Some(keys),
            _ => None,
        };
        let answered = match body {
            Some(body) => request.respond(Response::from_string(body).with_header(json.clone())),
            None => request.respond(Response::empty(404)),
        };
        // A client that hung up has nobody left to be told.
        drop(answered);
    }
}

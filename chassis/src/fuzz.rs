//! Whatever comes in at a door or stands in a file is read or refused, and breaks nothing: by the thousand with every run, by the million on demand.
use std::sync::LazyLock;

use ::tests::{
    Issuer, PEOPLE,
    fuzz::{Inputs, try_many},
};
use http::{Extensions, HeaderMap, HeaderValue, header::AUTHORIZATION};
use serde::Deserialize;
use sqlx::{Postgres, QueryBuilder};

use crate::{Agency, Column, Filter, IssuerSettings, Kind, Origin, PageToken, identity::Identity, rejected::Rejected, settings};

const FEW: u32 = 20_000;

#[test]
fn filters() {
    static COLUMNS: &[Column] = &[
        Column { field: "title", sql: "title", kind: Kind::Text },
        Column { field: "state", sql: "state::text", kind: Kind::Words(&["NEW", "CLOSED"]) },
        Column { field: "revision", sql: "revision", kind: Kind::Number },
        Column { field: "create_time", sql: "opened_at", kind: Kind::Moment },
    ];
    let good: [&[u8]; 4] = [
        b"title = \"x\" AND state != CLOSED",
        b"(revision > 3 OR create_time >= \"2026-11-23T01:02:03Z\") AND NOT title:\"y\"",
        "title : \"门户\" AND -state = NEW".as_bytes(),
        b"",
    ];
    let words: [&[u8]; 12] =
        [b" AND ", b" OR ", b"NOT ", b"(", b")", b"\"", b"\\\"", b"<=", b":", b"'; --", b"\0", b"999999999999999999999"];
    try_many("filters", FEW, Inputs::of(&good, &words), |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        let Ok(filter) = Filter::read(text, COLUMNS) else { return false };
        let mut query = QueryBuilder::<Postgres>::new("SELECT 1 WHERE true");
        filter.push(&mut query);
        let sql = query.sql();
        // What a caller writes is bound, never a part of the statement.
        assert!(!sql.as_str().contains(['\'', '"', ';']), "{text:?}: {}", sql.as_str());
        true
    });
}

#[test]
fn page_tokens() {
    let question = ["tickets", "agencies/gz", "[]", "", ""];
    let ours = PageToken::after(&question, "019f0000-0000-8000-8000-000000000007");
    let others = PageToken::after(&["tickets", "agencies/sz", "[]", "", ""], "019f0000-0000-8000-8000-000000000007");
    let good: [&[u8]; 3] = [ours.as_bytes(), others.as_bytes(), b""];
    let words: [&[u8]; 4] = [b"0", b"ff", b"\xff", "０".as_bytes()];
    try_many("page tokens", FEW, Inputs::of(&good, &words), |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        match PageToken::read(&question, text) {
            Ok(None) => assert!(text.is_empty()),
            Ok(Some(last)) => {
                assert_eq!(PageToken::after(&question, &last), text.to_lowercase(), "only what we gave out is taken")
            }
            Err(_) => return false,
        }
        true
    });
}

#[test]
fn settings_files() {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Service {
        #[expect(dead_code, reason = "read and let go")]
        database: String,
    }
    let good: [&[u8]; 2] = [
        b"[service]\ndatabase = 'x'\n[host]\ngrpc = '0.0.0.0:1'\ndrain = '3s'\n[host.limits]\nper_second = 7\n",
        b"[service]\ndatabase = 'x'\n[[host.identity]]\nkind = 'people'\nissuer = 'i'\naudience = 'a'\nkeys = 'k'\n\
          [host.certificates]\nlisten = '0.0.0.0:2'\ncertificate = 'c'\nkey = 'k'\nclient_ca = 'a'\ntrust_domain = 'd'\n",
    ];
    let words: [&[u8]; 9] = [b"[host]\n", b"[[", b"]]", b"= ", b"'", b"\"\"\"", b"1e999", b"-1", b"{}"];
    // A settings file is read once in the life of a process, and takes a hundred times as long as a filter.
    try_many("settings files", FEW / 10, Inputs::of(&good, &words), |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        settings::load::<Service>("fuzz", text, None).is_ok()
    });
}

#[test]
fn tokens() {
    let file = std::env::temp_dir().join(format!("opsmesh-{}-fuzz-keys.json", std::process::id()));
    let signer = Issuer::new(file.clone());
    let keys = format!("file:{}", file.display());
    let identity = Identity::new(&[IssuerSettings::People { issuer: PEOPLE.into(), audience: "opsmesh".into(), keys }], None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let genuine = signer.sign(&signer.person("li", &["admin"], &["*"]));
    let other = signer.sign(&signer.person("wu", &["auditor"], &["gz"]));
    let good: [&[u8]; 2] = [genuine.as_bytes(), other.as_bytes()];
    let words: [&[u8]; 6] = [b".", b"=", b"eyJhbGciOiJub25lIn0", b"e30", b"A", b"Bearer "];
    try_many("tokens", FEW, Inputs::of(&good, &words), |input| {
        let Ok(header) = HeaderValue::from_bytes(&[b"Bearer ", input].concat()) else { return false };
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
        match runtime.block_on(identity.caller(&headers, &Extensions::new())) {
            Ok(who) => {
                // A signature is 64 bytes in 86 signs, of which the last has four bits that mean nothing.
                let shown = String::from_utf8_lossy(input);
                let whole = |token: &str| shown.trim().get(..token.len() - 1) == token.get(..token.len() - 1);
                assert!(whole(&genuine) || whole(&other), "{} with {shown}", who.subject);
                true
            }
            Err(rejected) => {
                assert_ne!(rejected, Rejected::KeysAway, "a fault of ours");
                false
            }
        }
    });
}

#[test]
fn names_and_origins() {
    static GOOD: LazyLock<[&[u8]; 3]> =
        LazyLock::new(|| [b"agencies/gz", b"gz-demo", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]);
    let words: [&[u8]; 5] = [b"/", b"-", b"*", b"'", b"\0"];
    try_many("names and trace contexts", FEW, Inputs::of(&*GOOD, &words), |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        let parent = Agency::from_parent("parent", text);
        if let Ok(agency) = &parent {
            assert!(agency.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
        parent.is_ok() | text.parse::<Agency>().is_ok() | text.parse::<Origin>().is_ok()
    });
}

//! Every refusal is in the catalogue: no room makes a `Status` by itself.
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The one file that makes a `Status`.
const MAKER: &str = "proto/src/refusal.rs";
/// How a `Status` could be made past it.
const PAST: &[&str] = &[
    "Status::new(",
    "Status::ok(",
    "Status::cancelled(",
    "Status::unknown(",
    "Status::invalid_argument(",
    "Status::deadline_exceeded(",
    "Status::not_found(",
    "Status::already_exists(",
    "Status::permission_denied(",
    "Status::resource_exhausted(",
    "Status::failed_precondition(",
    "Status::aborted(",
    "Status::out_of_range(",
    "Status::unimplemented(",
    "Status::internal(",
    "Status::unavailable(",
    "Status::data_loss(",
    "Status::unauthenticated(",
    "Status::with_details",
    "Status::with_error_details",
    "Status::from_error",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sources of every room whose code answers calls, with what is only tests cut off.
fn sources() -> Vec<(String, String)> {
    let mut folders: Vec<PathBuf> =
        ["proto/src", "chassis/src", "mailbox/src"].iter().map(|folder| root().join(folder)).collect();
    folders.extend(fs::read_dir(root().join("services")).unwrap().map(|service| service.unwrap().path().join("src")));
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.strip_prefix(root()).unwrap().display().to_string(), product));
            }
        }
    }
    found
}

#[test]
fn no_room_refuses_past_the_catalogue() {
    let mut past = Vec::new();
    for (file, text) in sources().iter().filter(|(file, _)| file != MAKER) {
        for (number, line) in text.lines().enumerate() {
            past.extend(PAST.iter().filter(|way| line.contains(**way)).map(|way| format!("{file}:{}: {way}", number + 1)));
        }
    }
    assert!(past.is_empty(), "give these a reason in proto/src/reasons.rs: {past:#?}");
}

#[test]
fn every_reason_of_the_catalogue_is_given_somewhere() {
    let sources = sources();
    for reason in proto::reasons::ALL {
        let given = format!("reasons::{}", reason.name);
        assert!(sources.iter().any(|(_, text)| text.contains(&given)), "{} is never given", reason.name);
    }
}

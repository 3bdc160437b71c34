//! People of the sample estate, and the tokens that say who somebody is.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use crate::certificates::key;
use crate::instance::{Instance, hex, random};
use crate::keys::Key;
use crate::servers::issuer;
use crate::wait::now;

/// The agency of the sample estate.
pub(crate) const AGENCY: &str = "gz-demo";
/// Who a token is meant for unless it says otherwise.
pub(crate) const AUDIENCE: &str = "opsmesh";

/// Somebody of the sample estate.
pub(crate) struct Person {
    /// What their tokens call them.
    pub(crate) name: &'static str,
    /// What they may do.
    pub(crate) role: &'static str,
    /// What they do, for people.
    pub(crate) does: &'static str,
}

/// One for each role.
pub(crate) const PEOPLE: &[Person] = &[
    Person { name: "chen", role: "desk_agent", does: "takes calls at the service desk" },
    Person { name: "lin", role: "engineer", does: "repairs what is broken" },
    Person { name: "huang", role: "requester", does: "calls the desk, and confirms" },
    Person { name: "zhou", role: "manager", does: "answers for the service" },
    Person { name: "wu", role: "auditor", does: "reads everything, changes nothing" },
    Person { name: "liang", role: "admin", does: "sets the platform up" },
];

/// Whose token, and for what.
#[derive(Args, Debug)]
pub(crate) struct Claims {
    /// Who: somebody of the sample estate (chen, lin, huang, zhou, wu, liang) or anybody else with --role.
    #[arg(long = "as", default_value = "liang")]
    name: String,
    /// desk_agent, engineer, requester, manager, auditor or admin; several times for several.
    #[arg(long)]
    role: Vec<String>,
    /// The agencies it is good for; `*` for all.
    #[arg(long)]
    agency: Vec<String>,
    /// Who it is meant for.
    #[arg(long, default_value = AUDIENCE)]
    audience: String,
    /// How long it is good for: a number with s, m, h or d.
    #[arg(long, default_value = "8h", value_parser = seconds)]
    ttl: u64,
}

impl Claims {
    /// Somebody of the sample estate, for the working day.
    pub(crate) fn of(name: &str) -> Self {
        Self { name: name.into(), role: Vec::new(), agency: Vec::new(), audience: AUDIENCE.into(), ttl: 8 * 60 * 60 }
    }
}

/// A signed token.
pub(crate) fn token(instance: &Instance, claims: &Claims) -> Result<String> {
    let file = key(instance, "issuer");
    if !file.exists() {
        bail!("there is no issuer yet: run ./x up first");
    }
    let mut roles = claims.role.clone();
    if roles.is_empty() {
        let Some(person) = PEOPLE.iter().find(|person| person.name == claims.name) else {
            bail!("{} is nobody of the sample estate: say what they may do with --role", claims.name);
        };
        roles.push(person.role.into());
    }
    let mut agencies = claims.agency.clone();
    if agencies.is_empty() {
        agencies.push(AGENCY.into());
    }
    let now = now();
    Ok(Key::kept(&file)?.token(&json!({
        "iss": issuer::url(),
        "sub": claims.name,
        "aud": claims.audience,
        "iat": now,
        "nbf": now,
        "exp": now + claims.ttl,
        "jti": hex(&random::<8>()?),
        "roles": roles,
        "agencies": agencies,
    })))
}

fn seconds(text: &str) -> Result<u64, String> {
    let bad = || format!("{text} is not a time: write 30s, 15m, 8h or 7d");
    let unit = text.chars().last().ok_or_else(bad)?;
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(bad()),
    };
    Ok(number * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(seconds("8h"), Ok(28_800));
        assert_eq!(seconds("90s"), Ok(90));
        assert!(seconds("8").is_err());
        assert!(seconds("").is_err());
        assert!(seconds("小时").is_err());
    }
}

//! What a caller may do: Cedar policies that ship with the chart (`helm/opsmesh/policies/`), read once when the process
//! starts. What no policy permits is denied; without policies nobody may do anything.
//!
//! A policy speaks of a `Caller` in its `Role`s, of an `Action` for every rpc of the platform, and of an `Agency`. The
//! vocabulary is drawn up from the wire itself, so a policy that names an rpc or a role that does not exist is refused.
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
    str::FromStr,
    sync::Mutex,
};

use anyhow::Context as _;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request, Schema,
    ValidationMode, Validator,
};
use serde_json::{Map, Value, json};

use crate::{Agency, Role};

/// The endings of policy files.
const ENDING: &str = "cedar";

/// Decisions remembered: policies do not change while a process lives, and a decision takes as long as ten calls. More at once, and all are made again:
/// nothing but time is lost.
const REMEMBERED: usize = 10_000;

/// All that a decision depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    subject: Box<str>,
    roles: BTreeSet<Role>,
    rpc: Box<str>,
    agency: Agency,
}

/// The policies of a process.
#[derive(Debug)]
pub(crate) struct Policies {
    decided: Mutex<HashMap<Question, bool>>,
    set: PolicySet,
    authorizer: Authorizer,
    caller: EntityTypeName,
    role: EntityTypeName,
    action: EntityTypeName,
    agency: EntityTypeName,
}

impl Policies {
    /// Reads every policy file in `folder`; an empty path has none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        if !folder.as_os_str().is_empty() {
            let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
            let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
            paths.retain(|path| path.extension().is_some_and(|ending| ending == ENDING));
            paths.sort();
            anyhow::ensure!(!paths.is_empty(), "{}: there is no .{ENDING} file", folder.display());
            for path in paths {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                files.push((path.display().to_string(), text));
            }
        }
        Self::parse(&files)
    }

    /// The policies in these texts, each with its name for complaints.
    pub(crate) fn parse(files: &[(String, String)]) -> anyhow::Result<Self> {
        let schema = Schema::from_json_value(vocabulary()).context("the vocabulary of policies")?;
        let validator = Validator::new(schema);
        for (name, text) in files {
            let set = PolicySet::from_str(text).with_context(|| name.clone())?;
            let judged = validator.validate(&set, ValidationMode::Strict);
            let errors: Vec<String> = judged.validation_errors().map(ToString::to_string).collect();
            anyhow::ensure!(errors.is_empty(), "{name}: {}", errors.join("; "));
        }
        let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
        Ok(Self {
            decided: Mutex::default(),
            set: PolicySet::from_str(&texts.join("\n")).context("the policies together")?,
            authorizer: Authorizer::new(),
            caller: "Caller".parse()?,
            role: "Role".parse()?,
            action: "Action".parse()?,
            agency: "Agency".parse()?,
        })
    }

    /// Whether somebody with these roles may call `rpc` (`package.Service/Method`) on what belongs to `agency`.
    pub(crate) fn permit(&self, subject: &str, roles: &BTreeSet<Role>, rpc: &str, agency: &Agency) -> bool {
        let question = Question { subject: subject.into(), roles: roles.clone(), rpc: rpc.into(), agency: agency.clone() };
        if let Some(decided) = self.decided.lock().expect("nobody panics while remembering").get(&question) {
            return *decided;
        }
        let permitted = self.decide(subject, roles, rpc, agency);
        let mut decided = self.decided.lock().expect("nobody panics while remembering");
        if decided.len() >= REMEMBERED {
            decided.clear();
        }
        decided.insert(question, permitted);
        permitted
    }

    fn decide(&self, subject: &str, roles: &BTreeSet<Role>, rpc: &str, agency: &Agency) -> bool {
        let uid = |kind: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id));
        let caller = uid(&self.caller, subject);
        let parents: HashSet<EntityUid> = roles.iter().map(|role| uid(&self.role, role.word())).collect();
        let entity = Entity::new_no_attrs(caller.clone(), parents);
        let (Ok(entities), Ok(request)) = (
            Entities::from_entities([entity], None),
            Request::new(caller, uid(&self.action, rpc), uid(&self.agency, agency.as_str()), Context::empty(), None),
        ) else {
            return false;
        };
        self.authorizer.is_authorized(&request, &self.set, &entities).decision() == Decision::Allow
    }
}

/// What policies may speak of.
fn vocabulary() -> Value {
    let applies = json!({"principalTypes": ["Caller"], "resourceTypes": ["Agency"]});
    let actions: Map<String, Value> = proto::rpcs().into_iter().map(|rpc| (rpc.name, json!({"appliesTo": applies}))).collect();
    let roles: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
    json!({"": {
        "entityTypes": {"Role": {"enum": roles}, "Caller": {"memberOfTypes": ["Role"]}, "Agency": {}},
        "actions": actions,
    }})
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::subsequence};

    use super::*;

    const CREATE: &str = "opsmesh.ticketing.v1.Ticketing/CreateTicket";

    fn policies(text: &str) -> anyhow::Result<Policies> {
        Policies::parse(&[("test.cedar".into(), text.into())])
    }

    fn permit(policies: &Policies, roles: &[Role], rpc: &str) -> bool {
        policies.permit("li", &roles.iter().copied().collect(), rpc, &"gz".parse().unwrap())
    }

    #[test]
    fn without_policies_nobody_may_do_anything() {
        let none = Policies::parse(&[]).unwrap();
        for rpc in proto::rpcs() {
            assert!(!permit(&none, Role::ALL, &rpc.name), "{}", rpc.name);
        }
    }

    #[test]
    fn a_policy_that_names_an_rpc_or_a_role_that_is_not_there_is_refused_by_its_file() {
        let wrong = [
            r#"permit (principal, action == Action::"opsmesh.ticketing.v1.Ticketing/CreateTiket", resource);"#,
            r#"permit (principal in Role::"enginer", action, resource);"#,
            r#"permit (principal, action, resource) when { principal.grade > 3 };"#,
            "permit (principal",
        ];
        for text in wrong {
            let refused = format!("{:#}", policies(text).unwrap_err());
            assert!(refused.starts_with("test.cedar: "), "{refused}");
        }
    }

    #[test]
    fn a_forbidding_policy_wins() {
        let text = format!(
            r#"permit (principal, action, resource);
               forbid (principal == Caller::"li", action == Action::"{CREATE}", resource == Agency::"gz");"#
        );
        let policies = policies(&text).unwrap();
        assert!(!permit(&policies, &[Role::Admin], CREATE));
        assert!(policies.permit("chen", &[Role::Admin].into(), CREATE, &"gz".parse().unwrap()));
        assert!(policies.permit("li", &[Role::Admin].into(), CREATE, &"sz".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn another_role_never_takes_away_what_the_shipped_policies_permit(
            roles in subsequence(Role::ALL.to_vec(), 0..Role::ALL.len()),
            more in prop::sample::select(Role::ALL.to_vec()),
            rpc in prop::sample::select(proto::rpcs().into_iter().map(|rpc| rpc.name).collect::<Vec<_>>()),
        ) {
            static SHIPPED: std::sync::LazyLock<Policies> = std::sync::LazyLock::new(|| {
                Policies::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/opsmesh/policies")).unwrap()
            });
            let without = permit(&SHIPPED, &roles, &rpc);
            let with: Vec<Role> = roles.iter().copied().chain([more]).collect();
            prop_assert!(!without || permit(&SHIPPED, &with, &rpc));
        }

        #[test]
        fn what_is_remembered_is_what_would_be_decided_again(
            asked in prop::collection::vec(
                (subsequence(vec![Role::Admin, Role::DeskAgent, Role::Auditor], 0..3), any::<bool>(), any::<bool>(), any::<bool>()),
                1..40,
            ),
        ) {
            let text = format!(
                r#"permit (principal in Role::"desk_agent", action, resource);
                   permit (principal in Role::"auditor", action, resource == Agency::"sz");
                   forbid (principal == Caller::"li", action == Action::"{CREATE}", resource);"#
            );
            let policies = policies(&text).unwrap();
            for (roles, li, create, gz) in asked {
                let subject = if li { "li" } else { "chen" };
                let rpc = if create { CREATE } else { "opsmesh.ticketing.v1.Ticketing/GetTicket" };
                let agency = if gz { "gz" } else { "sz" }.parse().unwrap();
                let roles = roles.into_iter().collect();
                prop_assert_eq!(policies.permit(subject, &roles, rpc, &agency), policies.decide(subject, &roles, rpc, &agency));
            }
        }
    }
}

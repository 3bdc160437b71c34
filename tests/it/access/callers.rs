//! Everybody who may come to a door.
use chassis::Role;
use tests::{INSPECTION, OPERATOR};

use crate::services::{AGENCY, NAMESPACE, Services};

/// Another agency, and a namespace that is not the run's.
const OTHER: &str = "sz-test";
const OTHER_NAMESPACE: &str = "sz-test-plans";

/// Somebody with a token.
pub(crate) struct Comer {
    /// Their subject.
    pub(crate) subject: String,
    /// The word of the role; `nobody` has none.
    pub(crate) role: &'static str,
    /// Whether the agency that is asked for is theirs.
    pub(crate) inside: bool,
    /// Whether it is a pod of a run.
    pub(crate) pod: bool,
}

impl Comer {
    /// Every role, from inside and from outside; the platform's own parts are everywhere inside.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for role in Role::ALL.iter().map(|role| role.word()).chain(["nobody"]) {
            for inside in [true, false] {
                let account = |text: &str| text.to_owned();
                let (subject, pod) = match role {
                    "operator" => (account(OPERATOR), false),
                    "service" => (account(INSPECTION), false),
                    "inspector" => {
                        let namespace = if inside { NAMESPACE } else { OTHER_NAMESPACE };
                        (format!("system:serviceaccount:{namespace}:default"), true)
                    }
                    _ => (format!("{role}-{}", if inside { "inside" } else { "outside" }), false),
                };
                if inside || !matches!(role, "operator" | "service") {
                    all.push(Self { subject, role, inside, pod });
                }
            }
        }
        all
    }

    /// Their token for a service.
    pub(crate) fn token(&self, services: &Services, service: &str) -> String {
        let issuer = &services.stage.issuer;
        if let Some(account) = self.subject.strip_prefix("system:serviceaccount:") {
            let (namespace, account) = account.split_once(':').unwrap();
            return issuer.sign(&issuer.workload(namespace, account, &format!("opsmesh-{service}")));
        }
        let agency = if self.inside { AGENCY } else { OTHER };
        issuer.sign(&issuer.person(&self.subject, &[self.role], &[agency]))
    }

    /// Why they are refused at a door that does not permit them; `None`: they are let in.
    pub(crate) fn refused(&self, permitted: &[&str]) -> Option<&'static str> {
        let for_pods = permitted == ["inspector"];
        match (self.pod, for_pods) {
            // The run, not the door, knows whose pod it is.
            (true, true) if self.inside => None,
            (true, true) => Some("RUN_NOT_FOUND"),
            (false, true) => Some("NOT_A_WORKER"),
            (true, false) => Some("AGENCY_NOT_FOUND"),
            (false, false) if !self.inside => Some("AGENCY_NOT_FOUND"),
            (false, false) => (!permitted.contains(&self.role)).then_some("ROLE_MISSING"),
        }
    }
}

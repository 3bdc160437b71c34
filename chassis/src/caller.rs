//! Who is calling, and what that lets them reach. A [`Caller`] exists only after its token was verified; a
//! [`Scope`] only after a caller was let in by its agencies and by the policies; a transaction only with a scope. Whoever is
//! not let in is noted: a denied call is a fact too.
use std::{collections::BTreeSet, sync::Arc};

use proto::{Refusal, reasons};
use tonic::{Request, Status};

use crate::{Agency, denials::Denials, policy::Policies};

/// What somebody is, for the service (5.2: the posts of the service organisation; 7.4.1: the parties of a ticket). What each
/// may do the policies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 座席: takes calls, dispatches, closes.
    DeskAgent,
    /// 工程师: inspects and repairs.
    Engineer,
    /// 使用方: asks and confirms.
    Requester,
    /// 管理方: reads everything of its agencies.
    Manager,
    /// 监理方 or auditor: reads everything of its agencies.
    Auditor,
    /// Keeps the platform.
    Admin,
    /// The Kubernetes operator.
    Operator,
    /// Another service of the platform.
    Service,
    /// 巡检执行单元: a pod that works on an inspection run.
    Inspector,
}

impl Role {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::DeskAgent,
        Self::Engineer,
        Self::Requester,
        Self::Manager,
        Self::Auditor,
        Self::Admin,
        Self::Operator,
        Self::Service,
        Self::Inspector,
    ];

    /// The word for it in tokens, settings and policies.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DeskAgent => "desk_agent",
            Self::Engineer => "engineer",
            Self::Requester => "requester",
            Self::Manager => "manager",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Service => "service",
            Self::Inspector => "inspector",
        }
    }

    /// The role that a person's claim or an agency's certificate names. Neither can make anybody a part of the platform; a word that we do not know gives
    /// nothing.
    pub(crate) fn of_post(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.is_post() && role.word() == word)
    }

    /// Whether a person or another agency's system can have it; the others are parts of the platform.
    pub(crate) fn is_post(self) -> bool {
        !matches!(self, Self::Operator | Self::Service | Self::Inspector)
    }
}

/// How far a caller reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    Everywhere,
    Agencies(BTreeSet<Agency>),
    /// A worker's pod: whatever belongs to its Kubernetes namespace.
    Namespace(Arc<str>),
}

/// Somebody whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) subject: Arc<str>,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) reach: Reach,
}

/// What the door of a process knows besides who is calling.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) policies: Arc<Policies>,
    pub(crate) denials: Denials,
}

/// A verified caller, at one rpc.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Arc<Who>,
    rpc: Arc<str>,
    rules: Rules,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No policy permits the call to any of the caller's roles.
    #[error("no policy permits {rpc} to {subject}")]
    NotPermitted {
        /// Who.
        subject: Arc<str>,
        /// `package.Service/Method`.
        rpc: Arc<str>,
    },
    /// The agency is outside the caller's scope; it answers as if it did not exist.
    #[error("there is no agency `{0}`")]
    Agency(Agency),
    /// The call is for a worker's pod.
    #[error("{0} is not a worker of an inspection run")]
    NotAWorker(Arc<str>),
}

impl Denied {
    /// The refusal that its caller is given.
    fn refusal(&self) -> Refusal {
        match self {
            Self::NotPermitted { subject, rpc } => reasons::ROLE_MISSING.with("subject", subject).and("rpc", rpc),
            Self::Agency(agency) => reasons::AGENCY_NOT_FOUND.with("agency", agency),
            Self::NotAWorker(subject) => reasons::NOT_A_WORKER.with("subject", subject),
        }
    }
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        denied.refusal().into()
    }
}

impl Caller {
    pub(crate) fn new(who: Arc<Who>, rpc: Arc<str>, rules: Rules) -> Self {
        Self { who, rpc, rules }
    }

    /// Who sent this request. Every request that reaches a service has been let through the door, which puts its caller there.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| reasons::TOKEN_MISSING.refusal().into())
    }

    /// The caller's name: a person's subject, or a workload's `system:serviceaccount:{namespace}:{name}`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.who.subject
    }

    /// Lets the caller at what belongs to `agency`, if it is one of theirs and a policy permits this call to one of their
    /// roles.
    pub fn may(&self, agency: &Agency) -> Result<Scope, Denied> {
        let reaches = match &self.who.reach {
            Reach::Everywhere => true,
            Reach::Agencies(agencies) => agencies.contains(agency),
            Reach::Namespace(_) => false,
        };
        if !reaches {
            return Err(self.denied(agency, Denied::Agency(agency.clone())));
        }
        self.permitted(agency)?;
        Ok(Scope { agency: Some(agency.clone()), actor: self.who.subject.clone() })
    }

    /// The caller as the worker of an inspection run of `agency`, if a policy permits this call to workers.
    pub fn worker(&self, agency: &Agency) -> Result<Worker, Denied> {
        let Reach::Namespace(namespace) = &self.who.reach else {
            return Err(self.denied(agency, Denied::NotAWorker(self.who.subject.clone())));
        };
        self.permitted(agency)?;
        Ok(Worker { namespace: namespace.clone(), subject: self.who.subject.clone() })
    }

    fn permitted(&self, agency: &Agency) -> Result<(), Denied> {
        if self.rules.policies.permit(&self.who.subject, &self.who.roles, &self.rpc, agency) {
            return Ok(());
        }
        Err(self.denied(agency, Denied::NotPermitted { subject: self.who.subject.clone(), rpc: self.rpc.clone() }))
    }

    fn denied(&self, agency: &Agency, denied: Denied) -> Denied {
        self.rules.denials.note(&self.who.subject, &self.rpc, agency, denied.refusal().reason.name);
        denied
    }
}

/// A pod that works on a run: it may touch only what belongs to its own namespace, which whoever loads the row must ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    namespace: Arc<str>,
    subject: Arc<str>,
}

impl Worker {
    /// The Kubernetes namespace that the pod's token vouches for.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The scope in which to look for the worker's run; the run's namespace decides whether it is theirs.
    #[must_use]
    pub fn within(&self, agency: &Agency) -> Scope {
        Scope { agency: Some(agency.clone()), actor: self.subject.clone() }
    }
}

/// The rows that a transaction may see, and in whose name it changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub(crate) agency: Option<Agency>,
    pub(crate) actor: Arc<str>,
}

impl Scope {
    /// The platform itself, across agencies: for relays, inboxes and keepers, never for a call.
    #[must_use]
    pub fn platform(task: &'static str) -> Self {
        Self { agency: None, actor: task.into() }
    }

    /// A service's reaction to a fact about `agency`.
    #[must_use]
    pub fn reaction(service: &str, agency: &Agency) -> Self {
        Self { agency: Some(agency.clone()), actor: service.into() }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::Clock;

    const ASK: &str = "opsmesh.ticketing.v1.Ticketing/CreateTicket";
    const WORK: &str = "opsmesh.inspection.v1.Inspection/GetShard";

    fn caller(roles: &[Role], reach: Reach, rpc: &str) -> Caller {
        let text = format!(
            r#"permit (principal in Role::"desk_agent", action == Action::"{ASK}", resource);
               permit (principal in Role::"inspector", action == Action::"{WORK}", resource);"#
        );
        let policies = Arc::new(Policies::parse(&[("test".into(), text)]).unwrap());
        let who = Who { subject: "li".into(), roles: roles.iter().copied().collect(), reach };
        Caller::new(who.into(), rpc.into(), Rules { policies, denials: Denials::new(Clock::default()) })
    }

    #[test]
    fn an_agency_outside_the_scope_answers_as_if_it_did_not_exist() {
        let gz: Agency = "gz".parse().unwrap();
        let sz: Agency = "sz".parse().unwrap();
        let li = caller(&[Role::DeskAgent], Reach::Agencies([gz.clone()].into()), ASK);
        assert!(li.may(&gz).is_ok());
        assert_eq!(li.may(&sz), Err(Denied::Agency(sz)));
        assert_eq!(Status::from(Denied::Agency(gz)).code(), Code::NotFound);
    }

    #[test]
    fn a_policy_is_asked_within_the_scope() {
        let gz: Agency = "gz".parse().unwrap();
        let li = caller(&[Role::Requester], Reach::Everywhere, ASK);
        let denied = li.may(&gz).unwrap_err();
        assert_eq!(Status::from(denied).code(), Code::PermissionDenied);
        assert!(caller(&[Role::DeskAgent], Reach::Everywhere, WORK).may(&gz).is_err(), "permitted for another rpc");
    }

    #[test]
    fn a_worker_reaches_nothing_but_by_its_namespace() {
        let gz: Agency = "gz".parse().unwrap();
        let pod = |rpc| caller(&[Role::Inspector], Reach::Namespace("gz-demo".into()), rpc);
        assert!(pod(WORK).may(&gz).is_err());
        assert_eq!(pod(WORK).worker(&gz).unwrap().namespace(), "gz-demo");
        assert!(pod(ASK).worker(&gz).is_err());
        assert!(caller(&[Role::Inspector], Reach::Everywhere, WORK).worker(&gz).is_err());
    }

    #[test]
    fn who_is_denied_is_noted_and_who_is_let_in_is_not() {
        let gz: Agency = "gz".parse().unwrap();
        let li = caller(&[Role::DeskAgent], Reach::Agencies([gz.clone()].into()), ASK);
        li.may(&gz).unwrap();
        assert!(li.rules.denials.take().is_empty());
        li.may(&"sz".parse().unwrap()).unwrap_err();
        li.may(&"sz".parse().unwrap()).unwrap_err();
        let noted = li.rules.denials.take();
        assert_eq!(noted.len(), 1);
        assert_eq!((noted[0].fact.times, noted[0].fact.reason.as_str()), (2, "AGENCY_NOT_FOUND"));
    }

    #[test]
    fn a_role_has_one_word() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.word());
        }
    }
}

//! Who is calling, and what that lets them reach. A [`Caller`] exists only after its token was verified; a [`Scope`] only
//! after a caller was let in; a transaction only with a scope.
use std::{collections::BTreeSet, sync::Arc};

use tonic::{Code, Request, Status};

use crate::Agency;

/// What somebody is, for the service (5.2: the posts of the service organisation; 7.4.1: the parties of a ticket).
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
}

impl Role {
    /// Everybody who may read what belongs to an agency.
    pub const READERS: &[Self] = &[
        Self::DeskAgent,
        Self::Engineer,
        Self::Requester,
        Self::Manager,
        Self::Auditor,
        Self::Admin,
        Self::Operator,
        Self::Service,
    ];
}

/// How far a caller reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    Everywhere,
    Agencies(BTreeSet<Agency>),
    /// A worker's pod: whatever belongs to its Kubernetes namespace.
    Namespace(Arc<str>),
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub(crate) subject: Arc<str>,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) reach: Reach,
}

/// Why a caller is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller has none of the roles that the call asks for.
    #[error("{subject} has none of the roles that this call asks for: {roles:?}")]
    Role {
        /// Who.
        subject: Arc<str>,
        /// Any of these would do.
        roles: &'static [Role],
    },
    /// The agency is outside the caller's scope; it answers as if it did not exist.
    #[error("there is no agency `{0}`")]
    Agency(Agency),
    /// The call is for a worker's pod.
    #[error("{0} is not a worker of an inspection run")]
    NotAWorker(Arc<str>),
}

impl From<Denied> for Status {
    fn from(denied: Denied) -> Self {
        let en = denied.to_string();
        let (code, reason, zh) = match denied {
            Denied::Role { subject, .. } => (Code::PermissionDenied, "ROLE_MISSING", format!("{subject} 没有此操作所需的角色")),
            Denied::Agency(agency) => (Code::NotFound, "AGENCY_NOT_FOUND", format!("没有使用方“{agency}”")),
            Denied::NotAWorker(subject) => (Code::PermissionDenied, "NOT_A_WORKER", format!("{subject} 不是巡检执行单元")),
        };
        proto::Refusal { code, reason, en, zh }.into()
    }
}

impl Caller {
    /// Who sent this request. Every request that reaches a service has been let through the door, which puts its caller there.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| Status::unauthenticated("no caller"))
    }

    /// The caller's name: a person's subject, or a workload's `system:serviceaccount:{namespace}:{name}`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Lets the caller at what belongs to `agency`, if one of `roles` is theirs.
    pub fn may(&self, agency: &Agency, roles: &'static [Role]) -> Result<Scope, Denied> {
        let reaches = match &self.reach {
            Reach::Everywhere => true,
            Reach::Agencies(agencies) => agencies.contains(agency),
            Reach::Namespace(_) => false,
        };
        if !reaches {
            return Err(Denied::Agency(agency.clone()));
        }
        if !roles.iter().any(|role| self.roles.contains(role)) {
            return Err(Denied::Role { subject: self.subject.clone(), roles });
        }
        Ok(Scope { agency: Some(agency.clone()), actor: self.subject.clone() })
    }

    /// The caller as the worker of an inspection run.
    pub fn worker(&self) -> Result<Worker, Denied> {
        match &self.reach {
            Reach::Namespace(namespace) => Ok(Worker { namespace: namespace.clone(), subject: self.subject.clone() }),
            Reach::Everywhere | Reach::Agencies(_) => Err(Denied::NotAWorker(self.subject.clone())),
        }
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
    use super::*;

    fn caller(roles: &[Role], reach: Reach) -> Caller {
        Caller { subject: "li".into(), roles: roles.iter().copied().collect(), reach }
    }

    #[test]
    fn an_agency_outside_the_scope_answers_as_if_it_did_not_exist() {
        let gz: Agency = "gz".parse().unwrap();
        let sz: Agency = "sz".parse().unwrap();
        let li = caller(&[Role::DeskAgent], Reach::Agencies([gz.clone()].into()));
        assert!(li.may(&gz, &[Role::DeskAgent]).is_ok());
        assert_eq!(li.may(&sz, &[Role::DeskAgent]), Err(Denied::Agency(sz)));
        assert_eq!(Status::from(Denied::Agency(gz)).code(), Code::NotFound);
    }

    #[test]
    fn a_role_is_asked_for_within_the_scope() {
        let gz: Agency = "gz".parse().unwrap();
        let li = caller(&[Role::Requester], Reach::Everywhere);
        let denied = li.may(&gz, &[Role::DeskAgent]).unwrap_err();
        assert_eq!(Status::from(denied).code(), Code::PermissionDenied);
    }

    #[test]
    fn a_worker_reaches_nothing_but_by_its_namespace() {
        let gz: Agency = "gz".parse().unwrap();
        let pod = caller(&[], Reach::Namespace("gz-demo".into()));
        assert!(pod.may(&gz, Role::READERS).is_err());
        assert_eq!(pod.worker().unwrap().namespace(), "gz-demo");
        assert!(caller(&[Role::Admin], Reach::Everywhere).worker().is_err());
    }
}

//! Who there is, and what they may do: once as the service is told it, once as the model reads it.

use keyward_core::{Action, Policy, Reach, Role, ScopeRule};
use keyward_store::{KeyId, Limit, Owner, Scope, Subject};

use super::super::service::{READ, WRITE};

pub(super) const MANAGE: Scope = Scope::from_static("keys:manage");
pub(super) const ORDERS: Scope = Scope::from_static("orders:*");
const REPORTS: Scope = Scope::from_static("reports:*");
const REPORT: Scope = Scope::from_static("reports:read");

/// What is asked for.
pub(super) const SCOPES: [Scope; 6] = [READ, WRITE, ORDERS, REPORT, REPORTS, MANAGE];

/// What a request may need: members of the wildcards, and what only looks like one.
pub(super) const NEEDED: [Scope; 12] = [
    READ,
    WRITE,
    REPORT,
    MANAGE,
    Scope::from_static("orders:delete"),
    Scope::from_static("orders:read:all"),
    Scope::from_static("orders:"),
    Scope::from_static("orders"),
    Scope::from_static("reports:write"),
    Scope::from_static("keys:read"),
    Scope::from_static("invoices:read"),
    Scope::from_static("*"),
];

pub(super) const TENANTS: [&str; 3] = ["acme-inc", "beta", "gamma"];
pub(super) const OWNERS: [&str; 3] = ["ann", "bob", "cat"];
/// The names of operators; one has none.
pub(super) const OPERATORS: [Option<&str>; 3] = [None, Some("ops:jo"), Some("ops:kim")];
pub(super) const TAGS: [&str; 3] = ["laptop", "ci", "old"];
pub(super) const ENVIRONMENTS: [&str; 2] = ["live", "test"];

pub(super) fn owner(id: &str) -> Owner {
    Owner::new("user", id)
}

pub(super) fn subjects() -> Vec<Subject> {
    let tenants = TENANTS.iter().map(|id| Subject::Tenant((*id).into()));
    let owners = OWNERS.iter().map(|id| Subject::Owner(owner(id)));
    tenants.chain(owners).collect()
}

pub(super) fn limits() -> [Limit; 4] {
    let limit = |requests, seconds| {
        let per = std::time::Duration::from_secs(seconds);
        Limit::new(requests, per).unwrap()
    };
    [limit(5, 1), limit(10, 1), limit(10, 60), limit(1_000, 3600)]
}

/// A role, as a host might write it on a page.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) grants: &'static [Scope],
    /// What they may do with whose keys; whatever is not there, with nobody's.
    pub(super) may: &'static [(Action, Reach)],
}

pub(super) const PARTS: [Part; 5] = [
    Part {
        name: "admin",
        grants: &[ORDERS, REPORT, MANAGE],
        may: &all(Reach::Tenant),
    },
    Part {
        name: "member",
        grants: &[READ, WRITE, MANAGE],
        may: &all(Reach::Own),
    },
    Part {
        name: "clerk",
        grants: &[ORDERS],
        may: &[
            (Action::Issue, Reach::Own),
            (Action::Rotate, Reach::Tenant),
            (Action::Suspend, Reach::Own),
        ],
    },
    Part {
        name: "steward",
        grants: &[READ, REPORT],
        may: &[
            (Action::Update, Reach::Tenant),
            (Action::Suspend, Reach::Tenant),
            (Action::Revoke, Reach::Own),
        ],
    },
    Part {
        name: "auditor",
        grants: &[READ],
        may: &[(Action::See, Reach::Tenant)],
    },
];

const fn all(whose: Reach) -> [(Action, Reach); 6] {
    [
        (Action::Issue, whose),
        (Action::See, whose),
        (Action::Update, whose),
        (Action::Rotate, whose),
        (Action::Suspend, whose),
        (Action::Revoke, whose),
    ]
}

/// The names of roles that are tried; one has no part.
pub(super) const ROLES: [&str; 6] = ["admin", "member", "clerk", "steward", "auditor", "emperor"];

pub(super) fn part(role: &str) -> Option<&'static Part> {
    const { &PARTS }.iter().find(|part| part.name == role)
}

/// What differs from run to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) seed: u64,
    pub(super) rule: ScopeRule,
    /// Whose keys a key with the scope for it manages.
    pub(super) keys_manage: Option<Reach>,
    /// Whether keys of people belong to them unless said otherwise.
    pub(super) owned: bool,
}

impl Setting {
    pub(super) const KEYS_PER_TENANT: u64 = 14;
    pub(super) const KEYS_PER_OWNER: u64 = 6;

    /// What the documentation says first.
    pub(super) const fn usual(seed: u64) -> Self {
        Self {
            seed,
            rule: ScopeRule::Chosen,
            keys_manage: Some(Reach::Tenant),
            owned: true,
        }
    }

    pub(super) fn policy(&self) -> Policy {
        let mut policy = Policy::new().scope_rule(self.rule);
        for part in &PARTS {
            let role = Role::named(part.name).grants(part.grants.iter().cloned());
            let may = part.may.iter();
            policy = policy.role(may.fold(role, |role, (action, whose)| role.may(*action, *whose)));
        }
        if let Some(whose) = self.keys_manage {
            policy = policy.keys_manage(MANAGE, whose);
        }
        if self.owned { policy } else { policy.unowned() }
    }
}

/// Who acts.
#[derive(Clone, Debug)]
pub(super) enum Who {
    Operator(Option<&'static str>),
    User {
        tenant: &'static str,
        owner: &'static str,
        role: Option<&'static str>,
        /// What the host bounds them by besides.
        bound: Option<Vec<Scope>>,
    },
    /// The bearer of that key.
    Key(KeyId),
    /// The same, at this place among those who came earlier, and whose requests have taken until now.
    Late(KeyId, usize),
}

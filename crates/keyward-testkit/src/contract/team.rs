//! Some people, and what each may do.

use std::time::Duration;

use keyward_core::{Action, Actor, Policy, Reach, Role};
use keyward_store::{KeyStore, Owner, Records, Scope};

use super::service::{Node, READ, WRITE};

pub(super) const MANAGE: Scope = Scope::from_static("keys:manage");
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn policy() -> Policy {
    Policy::new()
        .role(
            Role::named("admin")
                .grants([READ, WRITE, MANAGE])
                .manages(Reach::Tenant),
        )
        .role(
            Role::named("member")
                .grants([READ, WRITE])
                .manages(Reach::Own),
        )
        .role(
            Role::named("auditor")
                .grants([READ])
                .may(Action::See, Reach::Tenant),
        )
        .keys_manage(MANAGE, Reach::Tenant)
}

pub(super) fn user(id: &str, role: &str, tenant: &str) -> Actor {
    Actor::user(Owner::new("user", id), tenant).role(role)
}

pub(super) async fn start<S: Records + KeyStore>(store: S) -> Node<S> {
    Node::start_with(store, |setup| setup.policy(policy())).await
}

//! Trying it on the service.

use keyward_core::{Actor, IssueError, Issued, LifecycleError};
use keyward_store::{KeyId, KeySnapshot, KeyStore, ListQuery, Owner, Plaintext, Records, Subject};

use super::super::service::Node;
use super::cast::{Who, owner};
use super::effects::Given;
use super::operation::{Halves, Operation, Run, Turn};
use super::world::No;

/// What came of it; with the secret of a key that was made.
pub(super) type Outcome = Result<(Given, Option<Issued>), No>;

/// Does the same as whoever acts: the nameless operator has no handle of its own.
macro_rules! acting {
    ($node:expr, $who:expr, $actor:expr, $acting:ident => $work:expr) => {
        match ($who, $actor) {
            (Who::Operator(None), _) => {
                let $acting = &$node.keys;
                $work
            }
            (Who::Operator(Some(name)), _) => {
                let $acting = &$node.keys.as_operator(name);
                $work
            }
            (_, Some(actor)) => {
                let $acting = &$node.keys.acting_as(actor);
                $work
            }
            (_, None) => panic!("nobody acts"),
        }
    };
}

/// Whoever acts, as the service is told; `None` for the operator, and for a key that is refused.
pub(super) async fn actor<S: Records + KeyStore>(
    node: &Node<S>,
    who: &Who,
    secret: impl Fn(&KeyId) -> Plaintext,
) -> Option<Actor> {
    match who {
        // Whoever came earlier is known already.
        Who::Operator(_) | Who::Late(..) => None,
        Who::User {
            tenant,
            owner: id,
            role,
            bound,
        } => {
            let mut actor = Actor::user(owner(id), *tenant);
            if let Some(role) = role {
                actor = actor.role(*role);
            }
            if let Some(bound) = bound {
                actor = actor.scopes(bound.iter().cloned());
            }
            Some(actor)
        }
        Who::Key(id) => {
            let principal = node.verify(&secret(id)).await.ok()?;
            Some(Actor::key(&principal))
        }
    }
}

pub(super) async fn carry_out<S: Records + KeyStore>(
    node: &Node<S>,
    operation: &Operation,
    actor: Option<&Actor>,
) -> Outcome {
    let nothing = |outcome: Result<(), LifecycleError>| match outcome {
        Ok(()) => Ok((Given::Nothing, None)),
        Err(error) => Err(error.into()),
    };
    match operation {
        Operation::Issue(who, wanted) => {
            let new = wanted.new_key();
            let issued = acting!(node, who, actor, acting => acting.issue(new).await);
            made(node, issued?)
        }
        Operation::Rotate(who, key, overlap) => {
            let rotated = acting!(node, who, actor, acting => {
                acting.rotate(key).overlap(*overlap).await
            });
            made(node, rotated?)
        }
        Operation::Get(who, key) => {
            let found = acting!(node, who, actor, acting => acting.get(key).await)?;
            Ok((Given::Keys(found.map(unused).into_iter().collect()), None))
        }
        Operation::List(who, filter, limit) => {
            let mut query = ListQuery::new(filter.clone()).limit(*limit);
            let mut keys = Vec::new();
            loop {
                let page = acting!(node, who, actor, acting => acting.list(&query).await)?;
                assert!(page.keys.len() <= *limit);
                keys.extend(page.keys.into_iter().map(unused));
                match page.next {
                    None => return Ok((Given::Keys(keys), None)),
                    next => query.after = next,
                }
            }
        }
        Operation::Count(who, filter) => {
            let filter = filter.clone();
            let count = acting!(node, who, actor, acting => acting.count(filter).await)?;
            Ok((Given::Number(count), None))
        }
        Operation::Update(who, key, edit) => {
            let update = edit.key_update();
            let key = acting!(node, who, actor, acting => acting.update(key, update).await)?;
            Ok((Given::Key(Box::new(key)), None))
        }
        Operation::Undo(who, key) => {
            let key = acting!(node, who, actor, acting => acting.undo_rotation(key).await)?;
            Ok((Given::Key(Box::new(key)), None))
        }
        Operation::Revoke(who, key, halves) => {
            let revoke = acting!(node, who, actor, acting => acting.revoke(key));
            nothing(match halves {
                Halves::Both => revoke.await,
                Halves::Only => revoke.only().await,
            })
        }
        Operation::Suspend(who, key) => {
            nothing(acting!(node, who, actor, acting => acting.suspend(key).await))
        }
        Operation::Resume(who, key) => {
            nothing(acting!(node, who, actor, acting => acting.resume(key).await))
        }
        Operation::RevokeAll(who, filter, run) => {
            let all = acting!(node, who, actor, acting => acting.revoke_all(filter.clone()));
            let number = match run {
                Run::Dry => all.dry_run().await,
                Run::Real => all.await,
            };
            Ok((Given::Number(number?), None))
        }
        Operation::Purge(who, retention) => {
            let number = acting!(node, who, actor, acting => acting.purge(*retention).await);
            Ok((Given::Number(number?), None))
        }
        Operation::Standing(subject, by, turn) => nothing(state(node, subject, *by, turn).await),
        Operation::Audit(who, query) => {
            let lines = acting!(node, who, actor, acting => acting.audit(query).await)?;
            Ok((Given::Lines(lines), None))
        }
    }
}

async fn state<S: Records + KeyStore>(
    node: &Node<S>,
    subject: &Subject,
    by: Option<&str>,
    turn: &Turn,
) -> Result<(), LifecycleError> {
    let mut standing = match subject {
        Subject::Tenant(tenant) => node.keys.tenant(tenant.clone()),
        Subject::Owner(of) => node.keys.owner(Owner::new(of.kind(), of.id())),
        _ => panic!("whose standing is it?"),
    };
    if let Some(by) = by {
        standing = standing.by(by);
    }
    match turn {
        Turn::Suspended(true) => standing.suspend().await,
        Turn::Suspended(false) => standing.resume().await,
        Turn::Entitled(entitled) => standing.entitle(*entitled).await,
        Turn::Ceiling(ceiling) => {
            let ceiling = ceiling.as_deref().map(super::operation::scopes);
            standing.ceiling(ceiling).await
        }
        Turn::Role(role) => standing.set_role(*role).await,
    }
}

fn made<S: Records + KeyStore>(node: &Node<S>, issued: Issued) -> Outcome {
    let issued = node.issued(issued);
    Ok((Given::Key(Box::new(issued.key.clone())), Some(issued)))
}

/// When keys were last used is not looked at: it comes when it comes.
fn unused(mut key: KeySnapshot) -> KeySnapshot {
    key.last_used_at = None;
    key
}

impl From<IssueError> for No {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Invalid(invalid) => Self::Invalid(invalid),
            IssueError::Refused(refusal) => Self::Refused(refusal),
            IssueError::CapReached(cap) => Self::Cap(cap),
            IssueError::Replayed(key) => Self::Replayed(key),
            other => Self::Other(format!("{other:?}")),
        }
    }
}

impl From<LifecycleError> for No {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::NotFound(_) => Self::NotFound,
            LifecycleError::Refused(refusal) => Self::Refused(refusal),
            LifecycleError::Invalid(invalid) => Self::Invalid(invalid),
            LifecycleError::Is(status) => Self::Is(status),
            LifecycleError::Replaced(by) => Self::Replaced(by),
            LifecycleError::NothingToUndo => Self::NothingToUndo,
            LifecycleError::UnknownRole => Self::UnknownRole,
            other => Self::Other(format!("{other:?}")),
        }
    }
}

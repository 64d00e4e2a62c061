//! Verifies API keys from a cache that no revoked key outlives, and manages their whole
//! life.
//!
//! [`Verifier`] decides about credentials: most of them without leaving the thread, from a cache
//! whose every answer carries the version of the facts it was read at. [`Keyward`] is the verifier
//! together with the life of keys. Both come from [`Keyward::builder`].
//!
//! HTTP is the business of the crate `keyward`, which most services use in place of this one.
//!
//! # The promise
//! Let a revocation commit at the moment c and return on a node. From its return on, no
//! verification that starts on that node accepts the key. Other nodes refuse it as soon as they
//! have heard of it, at the next poll at the latest; and whatever happens to them or to the network,
//! none accepts it in a verification that starts after c and the length of a lease. The same goes
//! for changes of scope, expiry and standing, and for new keys: one that was refused because it did
//! not exist is accepted once it does.
//!
//! Whoever must know when that is so awaits [`Revoke::confirm_everywhere`], or
//! [`Keyward::confirm_everywhere`] after any other change. Nodes tell a register in the store that they
//! are there, and how far they have heard; and they believe nothing once they could not for the length
//! of a lease. So the [`Receipt`] comes when each node has heard of the change or has stopped
//! believing, and says which: at most the length of a lease and one second after c, however nodes and
//! network fare. From then on, no node anywhere accepts the key.
//!
//! The operator owes two things for that: one primary at a time, and that it keeps what it has
//! acknowledged.
//!
//! # The life of a key
//! Every operation is decided by a pure function from what a store says of a key to a
//! [`Change`](keyward_store::Change), which the store makes as a whole, with its line in the audit log,
//! or not at all; when someone else was first, it is decided anew.
//!
//! | a key is | by | and then |
//! |---|---|---|
//! | [issued](Keyward::issue) | a [`NewKey`] | good, on every node |
//! | [updated](Keyward::update) | a [`KeyUpdate`] | good for what it may do now |
//! | [rotated](Keyward::rotate) | an overlap, or none | retiring, then retired; its successor is good |
//! | [suspended](Keyward::suspend) | – | refused, until it is [resumed](Keyward::resume) |
//! | [revoked](Keyward::revoke) | – | refused for good, hidden from lists, kept for audit |
//! | [purged](Keyward::purge) | a retention | gone, but for the audit log |
//!
//! What bears on many keys at once is the [`Standing`] of their tenant or owner: suspension,
//! entitlement, role and ceiling. What a request may do is what its key, its owner and its tenant may.
//!
//! [`Keyward`] itself acts as the operator, who may do everything. Everyone else is an [`Actor`], and
//! [`Keyward::acting_as`] does for them what the [`Policy`] permits, within their own tenant, and without
//! ever giving a key more than they hold. [`Keyward::events_after`] tells a host what happens.

mod builder;
mod denied;
#[cfg(feature = "axum")]
mod extract;
mod kept;
mod lifecycle;
mod policy;
mod principal;
mod start_error;
mod verifier;

pub use builder::Builder;
pub use denied::{Denied, DeniedKind, Reason};
pub use lifecycle::{
    Acting, BulkRevoke, Confirmation, ConfirmedRevoke, Events, ImportError, Invalid, IssueError,
    Issued, KeyUpdate, Keyward, LifecycleError, NewKey, Outcome, Receipt, Revoke, Rotate, Standing,
};
pub use policy::{Action, Actor, Policy, Reach, Refusal, Role, ScopeRule};
pub use principal::{Anonymous, MetadataError, Principal};
pub use start_error::StartError;
pub use verifier::{Health, PendingVerification, Verification, Verifier};

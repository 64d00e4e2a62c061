use std::fmt::Debug;

use async_trait::async_trait;

use crate::{
    AuditEntry, AuditQuery, Change, Changes, CommitError, Cursor, KeySnapshot, ListQuery, Loaded,
    Page, ReadFrom, Register, Selector, StoreError, Subject, SubjectState, Use,
};

/// Finds keys: all that a service needs which verifies keys that others issue.
///
/// # Contract
/// The answer holds every record that the selector asks for, revoked and expired ones too, as of
/// one moment after the call. No record is an empty answer; a store that cannot tell is an error.
///
/// # Implementing
/// Wrap it in [`LocalLog`](crate::LocalLog) to make it a [`KeyStore`]. To verify keys whose formats
/// have no public id, only [`Selector::Credential`] is asked for; with one, only
/// [`Selector::PublicId`]; [`Selector::Key`] only to manage them. What never comes may be an error.
///
/// # Cancel safety
/// Calls are not cancelled in the middle but by their time limit and at shutdown.
#[async_trait]
pub trait Lookup: Debug + Send + Sync + 'static {
    /// The records that `by` asks for.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer, or what it holds makes no sense.
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError>;
}

/// Keeps keys: what the lifecycle needs beyond [`Lookup`].
///
/// # Contract
/// [`commit`](Records::commit) is atomic and serializable: of two changes whose expectations
/// exclude each other, one is refused. What it wrote is found by every call that starts after it
/// returned. Once it has returned, with whatever outcome, nothing more of it becomes visible: a
/// store that cannot hold to that gives its own feed, which tells of changes when they appear.
///
/// # Implementing
/// The store stays dumb: it compares, writes whole rows, and judges nothing.
#[async_trait]
pub trait Records: Lookup {
    /// Makes the change, as a whole or not at all.
    ///
    /// # Errors
    /// [`CommitError`] says whether it is certain that nothing was written.
    ///
    /// # Cancel safety
    /// A call that is dropped may or may not have been committed, then or later. Keyward drops it
    /// only when the runtime ends.
    async fn commit(&self, change: &Change) -> Result<(), CommitError>;

    /// A page of keys, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// The standing of an owner or a tenant; the default for one that was never set.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError>;

    /// Lines of the audit log, in the order that the query says.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError>;

    /// Writes down when keys were last used. A time never moves back, a key that does not exist is
    /// passed over, and nothing else of a record is touched.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer; the uses are then offered again.
    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError>;
}

/// Finds keys and tells what has changed: what the verifier needs to keep its promise.
///
/// # Contract
/// Each change that bears on security has a number; numbers rise in the order in which changes
/// become visible. A load includes every change up to the number it states, and a poll tells of
/// every change between its cursors.
///
/// # Implementing
/// Five methods, none of which judges. [`LocalLog`](crate::LocalLog) implements them over any
/// [`Lookup`] for one process.
#[async_trait]
pub trait KeyStore: Debug + Send + Sync + 'static {
    /// Whether it can be used at all: asked once, when a service starts.
    ///
    /// # Errors
    /// [`StoreError`] says what must be put right first, for instance a schema that is missing.
    async fn ready(&self) -> Result<(), StoreError>;

    /// The records that `by` asks for, and as of when.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError>;

    /// What has changed since `since`.
    ///
    /// # Errors
    /// [`StoreError`] when the primary cannot answer. A standby must not.
    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError>;

    /// Resolves when there may be changes behind `since`. It may resolve too often, too late or
    /// never: it only wakes whoever asks for changes.
    ///
    /// # Cancel safety
    /// Dropped and called anew at every turn.
    async fn hint(&self, since: &Cursor);

    /// The nodes that verify keys of this store.
    fn register(&self) -> &dyn Register;
}

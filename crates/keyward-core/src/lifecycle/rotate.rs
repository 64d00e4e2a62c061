use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, Change, CommitError, KeyId, KeyRecord, KeyStatus, Plaintext, Successor, Write,
};

use super::acting::Acting;
use super::issue::{Issued, make};
use super::new_key::{Made, can_be_spelled};
use super::revise::{Tries, replace};
use super::{Invalid, LifecycleError, history};
use crate::Action;
use crate::verifier::node::whole_micros;

/// A rotation, made by awaiting it: a new key that may do what the old one may, and takes its place.
///
/// The old key is refused at once, or at the end of an [`overlap`](Rotate::overlap); in any case not
/// later than it would have expired. The new key has its name, tenant, owner, scopes, limits, expiry
/// and format, and counts its requests together with it. A key that is itself in overlap with its
/// predecessor ends that overlap: of one key, never more than two descendants are good at a time.
///
/// # Errors
/// [`LifecycleError::Replaced`] for a key that has been replaced already, [`LifecycleError::Is`] for one
/// that is revoked, expired or suspended, [`LifecycleError::Refused`] where the actor may not, or has
/// fewer rights than the key; others when the store fails.
///
/// # Cancel safety
/// Dropped before its first poll it does nothing; later, the change may still be carried out, and
/// nobody knows the new secret then. To undo it is safe.
#[must_use = "a rotation does nothing until it is awaited"]
pub struct Rotate<'a> {
    acting: Acting<'a>,
    key: KeyId,
    overlap: Duration,
    revision: Option<u64>,
}

impl<'a> Rotate<'a> {
    pub(super) const fn new(acting: Acting<'a>, key: KeyId) -> Self {
        let overlap = Duration::ZERO;
        Self {
            acting,
            key,
            overlap,
            revision: None,
        }
    }

    /// How long the old key is good beside the new one: not at all, unless said otherwise; and not
    /// beyond the year 9999.
    pub const fn overlap(mut self, overlap: Duration) -> Self {
        self.overlap = overlap;
        self
    }

    /// Only of a key whose record still has this [revision](KeyRecord::revision), as whoever wants it has
    /// seen it; otherwise it fails with [`CommitError::Expectation`].
    pub const fn revision(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }

    async fn run(self) -> Result<Issued, LifecycleError> {
        let outcome = self.try_run().await;
        let wanted = Action::Rotate.as_str();
        let key = Some(&self.key);
        self.acting.told(wanted, key, None, outcome).await
    }

    async fn try_run(&self) -> Result<Issued, LifecycleError> {
        let node = self.acting.node();
        let mut tries = Tries::new();
        loop {
            let old = self.acting.reach(Action::Rotate, &self.key).await?;
            let mint = self.acting.mint().await?;
            let permitted = mint.permits_rotation(&old);
            permitted.map_err(|refusal| LifecycleError::refused(refusal, &old.id))?;
            let before = match &old.rotated_from {
                None => None,
                Some(before) => self.acting.find(before).await?,
            };
            let format = node.formats.with_prefix(&old.prefix);
            // Keys of other systems may have a prefix of which no new ones are made.
            let format = format.or(node.formats.first());
            let format = format.ok_or(LifecycleError::UnknownFormat)?;
            let (made, secret) = make(format, &node.peppers)?;
            let rotation = Rotation {
                id: KeyId::generate(),
                made,
                overlap: self.overlap,
                actor: self.acting.name(),
                now: self.acting.now(),
            };
            let (new, mut change) =
                rotation.of(&old, before.as_ref().map(|found| &found.record))?;
            if self.revision.is_some_and(|seen| seen != old.revision) {
                // That is what the first expectation of the change would come to, again and again.
                return Err(CommitError::Expectation(0).into());
            }
            change.expectations.extend(mint.expectations);
            let outcome = self.acting.commit(change).await;
            if !tries.again(&outcome) {
                outcome?;
                return Ok(Issued::new(new, secret));
            }
        }
    }
}

impl Issued {
    const fn new(key: KeyRecord, secret: Plaintext) -> Self {
        Self { key, secret }
    }
}

impl<'a> IntoFuture for Rotate<'a> {
    type Output = Result<Issued, LifecycleError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Rotate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotate")
            .field("key", &self.key)
            .field("overlap", &self.overlap)
            .finish_non_exhaustive()
    }
}

impl Acting<'_> {
    /// Undoes a rotation while its overlap lasts: the new key is revoked, and the old one stays as it
    /// was before. Either of the two may be named. It gives the old key its life back, and so needs what
    /// a rotation of that one would.
    ///
    /// # Errors
    /// [`LifecycleError::NothingToUndo`] where there is no such rotation; [`LifecycleError::Refused`] as
    /// for a rotation; others when the store fails.
    ///
    /// # Cancel safety
    /// When the future is dropped, the change may still be carried out.
    pub async fn undo_rotation(&self, key: &KeyId) -> Result<KeyRecord, LifecycleError> {
        let outcome = self.try_undo(key).await;
        let wanted = Action::Rotate.as_str();
        self.told(wanted, Some(key), None, outcome).await
    }

    async fn try_undo(&self, key: &KeyId) -> Result<KeyRecord, LifecycleError> {
        let mut tries = Tries::new();
        loop {
            let named = self.reach(Action::Rotate, key).await?;
            let other = match (&named.successor, &named.rotated_from) {
                (Some(successor), _) => &successor.key,
                (None, Some(old)) => old,
                (None, None) => return Err(LifecycleError::NothingToUndo),
            };
            let other = self.find(other).await?;
            let other = other.ok_or(LifecycleError::NothingToUndo)?.record;
            let (old, new) = if named.successor.is_some() {
                (named, other)
            } else {
                (other, named)
            };
            let (restored, mut change) = undo(&old, &new, self.name(), self.now())?;
            let mint = self.mint().await?;
            let permitted = mint.permits_rotation(&old);
            permitted.map_err(|refusal| LifecycleError::refused(refusal, key))?;
            change.expectations.extend(mint.expectations);
            let outcome = self.commit(change).await;
            if !tries.again(&outcome) {
                return Ok(outcome.map(|_caught_up| restored)?);
            }
        }
    }
}

/// What a rotation is made of, apart from the key.
struct Rotation<'a> {
    id: KeyId,
    made: Made,
    overlap: Duration,
    actor: Option<&'a str>,
    now: SystemTime,
}

impl Rotation<'_> {
    /// The record that takes the place of `old`, and the change that makes it do so. `before` is the
    /// one whose place `old` took.
    fn of(
        self,
        old: &KeyRecord,
        before: Option<&KeyRecord>,
    ) -> Result<(KeyRecord, Change), LifecycleError> {
        let Self { now, actor, .. } = self;
        match (old.status(now), &old.successor) {
            (KeyStatus::Retiring | KeyStatus::Retired, Some(successor)) => {
                return Err(LifecycleError::Replaced(successor.key.clone()));
            }
            (KeyStatus::Active, _) => {}
            (status, _) => return Err(LifecycleError::Is(status)),
        }
        let until = now.checked_add(self.overlap).map(whole_micros);
        let until = until.filter(|until| can_be_spelled(*until));
        let until = until.ok_or(Invalid::ExpiryTooFar)?;
        let until = old.expires_at.map_or(until, |expiry| expiry.min(until));
        let mut new = old.clone();
        new.id = self.id;
        new.prefix = self.made.prefix;
        new.public_id = self.made.public_id;
        new.hint = self.made.hint;
        new.lookup = self.made.lookup;
        new.hash = self.made.hash;
        new.created_at = now;
        new.created_by = actor.map(str::to_owned).or(new.created_by);
        new.rotated_from = Some(old.id.clone());
        new.lineage = Some(old.shares_limits_of().clone());
        new.revision = 1;
        let mut replaced = old.clone();
        replaced.successor = Some(Successor {
            key: new.id.clone(),
            since: now,
            until,
        });
        let issued = history::line(now, AuditAction::Issued, actor, None, &new);
        let rotated = history::line(now, AuditAction::Rotated, actor, Some(old), &replaced);
        let mut change = replace(Change::new(now), old, replaced).audit(rotated);
        if let Some((before, ended)) =
            before.and_then(|before| Some((before, end(before, old, now)?)))
        {
            let line = history::line(now, AuditAction::Updated, actor, Some(before), &ended);
            change = replace(change, before, ended).audit(line);
        }
        Ok((new.clone(), change.write(Write::Insert(new)).audit(issued)))
    }
}

/// The key whose place `old` took without what is left of its overlap, if there is any.
fn end(before: &KeyRecord, old: &KeyRecord, now: SystemTime) -> Option<KeyRecord> {
    let successor = before.successor.as_ref()?;
    if successor.key != old.id || successor.is_over(now) || before.revoked_at.is_some() {
        return None;
    }
    let mut ended = before.clone();
    ended.successor = Some(Successor {
        until: successor.since,
        ..successor.clone()
    });
    Some(ended)
}

/// The old key as it was, and the change that makes it so again.
fn undo(
    old: &KeyRecord,
    new: &KeyRecord,
    actor: Option<&str>,
    now: SystemTime,
) -> Result<(KeyRecord, Change), LifecycleError> {
    let successor = old.successor.as_ref();
    let is_open = successor.is_some_and(|to| to.key == new.id && !to.is_over(now));
    let is_undone = old.revoked_at.is_some() || new.revoked_at.is_some();
    if !is_open || is_undone || new.successor.is_some() {
        return Err(LifecycleError::NothingToUndo);
    }
    let mut restored = old.clone();
    restored.successor = None;
    let mut revoked = new.clone();
    revoked.revoked_at = Some(now);
    let undone = history::line(
        now,
        AuditAction::RotationUndone,
        actor,
        Some(old),
        &restored,
    );
    let over = history::line(now, AuditAction::Revoked, actor, Some(new), &revoked);
    let change = replace(Change::new(now), old, restored.clone()).audit(undone);
    let change = replace(change, new, revoked).audit(over);
    restored.revision = old.revision + 1;
    Ok((restored, change))
}

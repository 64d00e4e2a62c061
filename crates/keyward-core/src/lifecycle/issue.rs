use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, Change, CommitError, Expectation, Formats, KeyFilter, KeyFormat, KeyId, KeyRecord,
    Peppers, Plaintext, Token, Write,
};

use super::acting::{Acting, Mint};
use super::invalid::scopes_hold_no_key;
use super::new_key::{Made, NewKey};
use super::{IssueError, MAX_TRIES, history};
use crate::{Action, Refusal};

/// A key that has just been issued. The secret is here and nowhere else: whoever drops it has lost
/// it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// What is known of the key from now on.
    pub key: KeyRecord,
    /// The whole key, to be shown once.
    pub secret: Plaintext,
}

impl Acting<'_> {
    /// Issues a key; see [`Keyward::issue`](crate::Keyward::issue).
    ///
    /// # Errors
    /// [`IssueError`] says what about the key cannot be, why it may not be, or that it could not be
    /// stored.
    ///
    /// # Cancel safety
    /// When the future is dropped, the key may have been stored; nobody knows its secret then.
    pub async fn issue(&self, new: NewKey) -> Result<Issued, IssueError> {
        let wanted = new.scopes.clone();
        scopes_hold_no_key(wanted.as_ref(), &self.node().formats)?;
        let outcome = self.try_issue(new).await;
        if let Err(IssueError::Refused(refusal)) = &outcome {
            let action = Action::Issue.as_str();
            self.tell_refused(action, None, wanted.as_ref(), refusal)
                .await;
        }
        outcome
    }

    async fn try_issue(&self, new: NewKey) -> Result<Issued, IssueError> {
        let node = self.node();
        let format = match &new.prefix {
            None => node.formats.first(),
            Some(prefix) => node.formats.with_prefix(prefix),
        };
        let format = format.ok_or(IssueError::UnknownFormat)?;
        let (mut doubles, mut tries) = (0, 0);
        loop {
            let mint = self.mint().await?;
            let new = mint.fill_in(new.clone())?;
            let name = self.name();
            let (issued, change) =
                issue(new, name, format, &node.formats, &node.peppers, self.now())?;
            mint.permits(&issued.key)?;
            let caps = self.caps(&issued.key);
            let standings = mint.expectations.len();
            let mut change = change;
            change.expectations = mint.expectations;
            let bounds = caps.iter().map(|(cap, of)| Expectation::Fewer {
                than: *cap,
                of: of.clone(),
            });
            change.expectations.extend(bounds);
            match self.commit(change).await {
                // Two random ids met.
                Err(CommitError::Duplicate) if doubles < 3 => doubles += 1,
                Err(CommitError::TokenUsed(key)) => return Err(IssueError::Replayed(key)),
                Err(CommitError::Expectation(place)) => match place.checked_sub(standings) {
                    Some(cap) => {
                        let cap = caps.get(cap).map_or(0, |(cap, _)| *cap);
                        return Err(IssueError::CapReached(cap));
                    }
                    // What bounds the actor has changed: look at it again.
                    None if tries < MAX_TRIES => tries += 1,
                    None => return Err(CommitError::Expectation(place).into()),
                },
                outcome => return Ok(outcome.map(|_caught_up| issued)?),
            }
        }
    }

    /// How many keys there may be of those that the new one is among.
    fn caps(&self, key: &KeyRecord) -> Vec<(u64, KeyFilter)> {
        let rules = self.rules();
        let of_tenant = KeyFilter::usable().tenant(key.tenant.clone());
        let owner = rules.keys_per_owner.zip(key.owner.clone());
        let owner = owner.map(|(cap, owner)| (cap, of_tenant.clone().owner(owner)));
        let tenant = rules.keys_per_tenant.map(|cap| (cap, of_tenant));
        owner.into_iter().chain(tenant).collect()
    }
}

/// A new key of `format`, and the change that makes it one.
fn issue(
    mut new: NewKey,
    name: Option<&str>,
    format: &KeyFormat,
    formats: &Formats,
    peppers: &Peppers,
    now: SystemTime,
) -> Result<(Issued, Change), IssueError> {
    let token = new.token.clone();
    new.created_by = new.created_by.or_else(|| name.map(str::to_owned));
    let (made, secret) = make(format, peppers)?;
    let key = new.record(KeyId::generate(), made, formats, now)?;
    // The host may issue it for someone of whom it has the name, and not say who does so.
    let actor = name.or(key.created_by.as_deref());
    let line = history::line(now, AuditAction::Issued, actor, None, &key);
    let mut change = Change::new(now)
        .write(Write::Insert(key.clone()))
        .audit(line);
    if let Some(token) = token {
        // Of one maker in one tenant; the length keeps the two apart.
        let tenant = key.tenant.as_str();
        let scope = format!(
            "issue {} {tenant} {}",
            tenant.len(),
            actor.unwrap_or_default()
        );
        let token = Token::new(scope, token, key.id.clone(), now + TOKEN_LIFE);
        change = change.write(Write::Token(token));
    }
    Ok((Issued { key, secret }, change))
}

/// A new credential, and what its record keeps of it.
pub(super) fn make(
    format: &KeyFormat,
    peppers: &Peppers,
) -> Result<(Made, Plaintext), keyward_store::GenerateError> {
    let generated = format.generate()?;
    let secret = generated.plaintext;
    let made = Made {
        prefix: format.prefix().to_owned(),
        public_id: generated.public_id,
        hint: generated.hint,
        lookup: None,
        hash: peppers.hash(secret.expose().as_bytes()),
    };
    Ok((made, secret))
}

impl Mint<'_> {
    /// What follows from who issues a key.
    fn fill_in(&self, mut new: NewKey) -> Result<NewKey, Refusal> {
        let Some((actor, policy)) = &self.actor else {
            return Ok(new);
        };
        let tenant = new.tenant.get_or_insert_with(|| actor.tenant().clone());
        if tenant != actor.tenant() {
            return Err(Refusal::Tenant);
        }
        if policy.owns() && new.owner.is_none() {
            new.owner = actor.owner().cloned();
        }
        if new.narrowed_to.is_some() && new.scopes.is_none() {
            // Cut to those when the record is made.
            new.scopes = Some(policy.rights(actor));
        }
        new.scopes = Some(policy.fill_in(actor, new.scopes));
        new.role = actor.role_name().map(str::to_owned);
        new.created_by = Some(actor.name().to_owned());
        if let Some(key) = actor.by_key() {
            if new.expires.is_none() {
                new.expires = key.ends_at.map(super::new_key::Expires::At);
            }
            new.limits.get_or_insert_with(|| key.limits.clone());
            new.networks
                .get_or_insert_with(|| key.networks.clone().unwrap_or_default());
        }
        Ok(new)
    }
}

/// How long others with the same token are refused.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

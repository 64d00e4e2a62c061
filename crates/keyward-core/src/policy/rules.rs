use ipnet::IpNet;
use keyward_store::{KeyRecord, Scope, Scopes};

use super::{Action, Actor, Reach, Refusal, Role};

/// Who may do what to which keys.
///
/// It is made of roles, by the names that the host gives them; whoever has none of them may do
/// nothing. Nobody reaches beyond their own tenant, and no key can do what its maker may not give.
///
/// ```
/// # use keyward_core::{Policy, Reach, Role, ScopeRule};
/// # use keyward_store::Scope;
/// const READ: Scope = Scope::from_static("read");
/// const WRITE: Scope = Scope::from_static("write");
/// const ADMIN: Scope = Scope::from_static("admin");
///
/// let policy = Policy::new()
///     .role(Role::named("owner").grants([READ, WRITE, ADMIN]).manages(Reach::Tenant))
///     .role(Role::named("member").grants([READ, WRITE]).manages(Reach::Own))
///     .role(Role::named("viewer").grants([READ]).manages(Reach::Own))
///     .scope_rule(ScopeRule::Fixed);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    roles: Vec<Role>,
    scope_rule: ScopeRule,
    keys: Option<(Scope, Reach)>,
    unowned: bool,
}

/// How the scopes of a new key follow from what its maker may give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeRule {
    /// They are chosen among them; without a choice there are none.
    #[default]
    Chosen,
    /// They are all of them, unless some are chosen.
    Inherited,
    /// They are all of them, and whoever asks for others is refused.
    Fixed,
}

impl Policy {
    /// Without any role: nobody but the operator may do anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this role, in place of one of the same name.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.retain(|other| other.name() != role.name());
        self.roles.push(role);
        self
    }

    /// How scopes are chosen.
    #[must_use]
    pub const fn scope_rule(mut self, rule: ScopeRule) -> Self {
        self.scope_rule = rule;
        self
    }

    /// A key with this scope manages those keys; where it has a role, no further than the role does.
    /// Otherwise keys manage no keys.
    #[must_use]
    pub fn keys_manage(mut self, with: Scope, whose: Reach) -> Self {
        self.keys = Some((with, whose));
        self
    }

    /// A new key belongs to the tenant as a whole, and to nobody in it, unless an owner is named.
    #[must_use]
    pub const fn unowned(mut self) -> Self {
        self.unowned = true;
        self
    }

    /// Whether `actor` may do this to that key; for [`Action::Issue`], whether the key may be issued
    /// as it is.
    ///
    /// It depends on its arguments alone, and changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] says why not. To whom a key is [`NotFound`](Refusal::NotFound), it is to look as if
    /// it did not exist.
    pub fn permits(
        &self,
        actor: &Actor,
        action: Action,
        record: &KeyRecord,
    ) -> Result<(), Refusal> {
        if action == Action::Issue {
            self.may_own(actor, record)?;
            return self.may_give(actor, None, record);
        }
        self.may_reach(actor, action, record)?;
        match action {
            // Whoever rotates a key holds its rights.
            Action::Rotate => self.may_hold(actor, None, record),
            _ => Ok(()),
        }
    }

    /// Whether `actor` may make of a key what it shall be: whatever it may do beyond what it may
    /// already is theirs to give.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn permits_update(
        &self,
        actor: &Actor,
        before: &KeyRecord,
        after: &KeyRecord,
    ) -> Result<(), Refusal> {
        self.permits(actor, Action::Update, before)?;
        if before.tenant != after.tenant {
            return Err(Refusal::Tenant);
        }
        if before.owner != after.owner {
            self.may_own(actor, after)?;
        }
        self.may_give(actor, Some(before), after)
    }

    /// The most that `actor` may give to a key.
    #[must_use]
    pub fn rights(&self, actor: &Actor) -> Scopes {
        let role = actor.role_name().map(|name| self.grants(name));
        match (role, actor.bound(), actor.is_key()) {
            // What a key may do was decided when it was made, and is bounded by its owner's standing.
            (_, Some(bound), true) => bound.clone(),
            (Some(role), Some(bound), _) => role.intersection(bound),
            (Some(role), None, _) => role,
            (None, ..) => Scopes::none(),
        }
    }

    /// With whose keys `actor` may do this.
    #[must_use]
    pub fn reach(&self, actor: &Actor, action: Action) -> Reach {
        let by_role = actor.role_name().map(|name| {
            let role = self.find(name);
            role.map_or(Reach::Nobody, |role| role.reach(action))
        });
        if !actor.is_key() {
            return by_role.unwrap_or_default();
        }
        match self.manages_by_key(actor) {
            None => Reach::Nobody,
            Some(reach) => by_role.map_or(reach, |role| role.min(reach)),
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn find(&self, role: &str) -> Option<&Role> {
        self.roles.iter().find(|known| known.name() == role)
    }

    /// How scopes are chosen.
    #[must_use]
    pub const fn rule(&self) -> ScopeRule {
        self.scope_rule
    }

    /// Whether `actor` may manage any key at all, as far as what they act by is concerned.
    pub(crate) fn permits_any(&self, actor: &Actor) -> Result<(), Refusal> {
        if actor.is_key() && self.manages_by_key(actor).is_none() {
            return Err(Refusal::ByKey);
        }
        Ok(())
    }

    pub(crate) fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }

    /// What a new key of `actor` gets where nothing is asked for.
    pub(crate) fn fill_in(&self, actor: &Actor, scopes: Option<Scopes>) -> Scopes {
        scopes.unwrap_or_else(|| match self.scope_rule {
            ScopeRule::Chosen => Scopes::none(),
            ScopeRule::Inherited | ScopeRule::Fixed => self.rights(actor),
        })
    }

    pub(crate) const fn owns(&self) -> bool {
        !self.unowned
    }

    fn grants(&self, role: &str) -> Scopes {
        let role = self.find(role);
        role.map_or_else(Scopes::none, |role| role.scopes().clone())
    }

    /// Whose keys the key that `actor` acts by may manage.
    fn manages_by_key(&self, actor: &Actor) -> Option<Reach> {
        let (scope, reach) = self.keys.as_ref()?;
        actor.bound()?.allows(scope).then_some(*reach)
    }

    /// Whether `actor` may do this to that key, as far as the key is theirs to do it to; whether they
    /// have what they would give is another question.
    pub(crate) fn may_reach(
        &self,
        actor: &Actor,
        action: Action,
        record: &KeyRecord,
    ) -> Result<(), Refusal> {
        self.permits_any(actor)?;
        if record.tenant != *actor.tenant()
            || !reaches(self.reach(actor, Action::See), actor, record)
        {
            return Err(Refusal::NotFound);
        }
        if !reaches(self.reach(actor, action), actor, record) {
            return Err(Refusal::Role);
        }
        match action {
            Action::Update | Action::Suspend if is_itself(actor, record) => Err(Refusal::OwnKey),
            _ => Ok(()),
        }
    }

    /// Whether a key of that tenant and owner is `actor`'s to make.
    fn may_own(&self, actor: &Actor, record: &KeyRecord) -> Result<(), Refusal> {
        self.permits_any(actor)?;
        if record.tenant != *actor.tenant() {
            return Err(Refusal::Tenant);
        }
        match self.reach(actor, Action::Issue) {
            Reach::Nobody => Err(Refusal::Role),
            Reach::Own if !is_own(actor, record) => Err(Refusal::Owner),
            _ => Ok(()),
        }
    }

    /// Whether `actor` may give what a key shall have beyond what it has.
    fn may_give(
        &self,
        actor: &Actor,
        before: Option<&KeyRecord>,
        after: &KeyRecord,
    ) -> Result<(), Refusal> {
        self.may_hold(actor, before, after)?;
        let as_before = before.is_some_and(|before| before.scopes == after.scopes);
        if self.scope_rule == ScopeRule::Fixed && !as_before && after.scopes != self.rights(actor) {
            return Err(Refusal::FixedScopes);
        }
        Ok(())
    }

    fn may_hold(
        &self,
        actor: &Actor,
        before: Option<&KeyRecord>,
        after: &KeyRecord,
    ) -> Result<(), Refusal> {
        let rights = self.rights(actor);
        let had = |scope: &Scope| before.is_some_and(|before| before.scopes.allows(scope));
        let beyond = after.scopes.iter();
        let beyond = beyond.filter(|scope| !rights.allows(scope) && !had(scope));
        let beyond: Scopes = beyond.cloned().collect();
        if !beyond.is_empty() {
            return Err(Refusal::Scopes(beyond));
        }
        let Some(key) = actor.by_key() else {
            return Ok(());
        };
        let is_longer = |end, than: Option<_>| than.is_some_and(|than| end > than);
        let outlives = match after.expires_at {
            None => key.ends_at.is_some(),
            Some(end) => is_longer(end, key.ends_at),
        };
        let expiry_is_new = before.is_none_or(|before| before.expires_at != after.expires_at);
        if outlives && expiry_is_new {
            return Err(Refusal::Expiry);
        }
        let limits_are_new = before.is_none_or(|before| before.limits != after.limits);
        let is_kept = |limit| after.limits.iter().any(|ours| ours.is_within(limit));
        if limits_are_new && !key.limits.iter().all(is_kept) {
            return Err(Refusal::Limits);
        }
        let networks_are_new = before.is_none_or(|before| before.networks != after.networks);
        let is_bounded = key.networks.as_ref().is_none_or(|networks| {
            // Two halves are a whole.
            let networks = IpNet::aggregate(networks);
            let is_within = |ours: &IpNet| networks.iter().any(|theirs| theirs.contains(ours));
            !after.networks.is_empty() && after.networks.iter().all(is_within)
        });
        if networks_are_new && !is_bounded {
            return Err(Refusal::Networks);
        }
        Ok(())
    }
}

fn reaches(reach: Reach, actor: &Actor, record: &KeyRecord) -> bool {
    match reach {
        Reach::Nobody => false,
        Reach::Own => is_own(actor, record),
        Reach::Tenant => true,
    }
}

fn is_own(actor: &Actor, record: &KeyRecord) -> bool {
    actor.owner().is_some() && actor.owner() == record.owner.as_ref()
}

fn is_itself(actor: &Actor, record: &KeyRecord) -> bool {
    actor.by_key().is_some_and(|key| key.id == record.id)
}

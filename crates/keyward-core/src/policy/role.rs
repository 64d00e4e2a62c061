use keyward_store::{Scope, Scopes};

use super::{Action, Reach};

/// What those of one role may give to keys, and whose keys they may do what to.
///
/// ```
/// # use keyward_core::{Action, Reach, Role};
/// # use keyward_store::Scope;
/// const READ: Scope = Scope::from_static("read");
///
/// let member = Role::named("member").grants([READ]).manages(Reach::Own);
/// let auditor = Role::named("auditor").may(Action::See, Reach::Tenant);
/// # let _ = (member, auditor);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    name: String,
    grants: Scopes,
    reach: [Reach; Action::COUNT],
}

impl Role {
    /// A role that may do nothing yet, under the name that the host knows it by.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            grants: Scopes::none(),
            reach: [Reach::Nobody; Action::COUNT],
        }
    }

    /// The most that their keys may do.
    #[must_use]
    pub fn grants(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.grants = scopes.into_iter().collect();
        self
    }

    /// They may do all of it with those keys, issuing included; and so lift what bounds a key: its
    /// suspension, its limits, its networks and its expiry, whoever has set them. What is imposed on someone
    /// is imposed on their [standing](crate::Standing), which is the operator's alone.
    #[must_use]
    pub fn manages(mut self, whose: Reach) -> Self {
        self.reach = [whose; Action::COUNT];
        self
    }

    /// They may do this with those keys. Who may do anything with a key may see it.
    #[must_use]
    pub fn may(mut self, action: Action, whose: Reach) -> Self {
        if let Some(reach) = self.reach.get_mut(action.place()) {
            *reach = whose;
        }
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The most that their keys may do.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.grants
    }

    /// With whose keys they may do this.
    #[must_use]
    pub fn reach(&self, action: Action) -> Reach {
        if action == Action::See {
            // Nobody changes what they cannot see.
            return self.reach.into_iter().max().unwrap_or_default();
        }
        self.reach.get(action.place()).copied().unwrap_or_default()
    }
}

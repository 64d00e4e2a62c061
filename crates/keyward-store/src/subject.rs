use crate::{Owner, Scopes, TenantId};

/// Someone whose standing bears on many keys at once.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Subject {
    /// A tenant.
    Tenant(TenantId),
    /// An owner, in whatever tenant.
    Owner(Owner),
}

/// The standing of an owner or a tenant: what the host says of it, and every one of its keys heeds.
///
/// The default is good standing: not suspended, entitled, no role of its own, no
/// ceiling.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SubjectState {
    /// All its keys are refused, as if they were revoked, until this ends.
    pub suspended: bool,
    /// Whether its plan includes the use of keys.
    pub entitled: bool,
    /// The role that its keys have now, whatever role they were issued under; `None` leaves them
    /// that one.
    pub role: Option<String>,
    /// The most that any of its keys may do; `None` sets no bound.
    pub ceiling: Option<Scopes>,
    /// Counts the changes of this state, from 0 for one that was never set.
    pub revision: u64,
}

impl Default for SubjectState {
    fn default() -> Self {
        Self {
            suspended: false,
            entitled: true,
            role: None,
            ceiling: None,
            revision: 0,
        }
    }
}

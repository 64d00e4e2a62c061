use keyward_store::Scopes;
use thiserror::Error;

/// Why someone may not do what they want to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The key is none that they may know of; to them it does not exist.
    #[error("there is no such key")]
    NotFound,
    /// Their role does not allow it.
    #[error("the role does not allow this")]
    Role,
    /// Keys may not manage keys, or this one lacks the scope that says otherwise.
    #[error("an API key may not do this")]
    ByKey,
    /// The key that they act by is over since they came, or suspended.
    #[error("the API key is not good any more")]
    KeyOver,
    /// A key may not change or suspend itself. It may replace itself, and revoke itself: neither lets it
    /// do more than before.
    #[error("a key may not change itself")]
    OwnKey,
    /// The key would have scopes that they lack; these.
    #[error("a key cannot have scopes that its maker lacks: {0}")]
    Scopes(Scopes),
    /// The scopes of a key follow from the role of its maker, and others were asked for.
    #[error("the scopes of a key follow from the role of its maker")]
    FixedScopes,
    /// The key would outlive the one that makes it.
    #[error("a key cannot outlive the key that makes it")]
    Expiry,
    /// The key could be used more often than the one that makes it.
    #[error("a key cannot have higher limits than the key that makes it")]
    Limits,
    /// The key could be used from where the one that makes it cannot.
    #[error("a key cannot be used from networks that the key which makes it may not")]
    Networks,
    /// The key would belong to another tenant.
    #[error("a key belongs to the tenant of its maker")]
    Tenant,
    /// The key would belong to someone whom they may not make keys for.
    #[error("the role does not allow keys of others")]
    Owner,
    /// Their tenant's plan, or their own, does not include keys.
    #[error("the present plan does not include API keys")]
    NotEntitled,
    /// Their tenant, or they themselves, are suspended.
    #[error("suspended")]
    Suspended,
}

impl Refusal {
    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Role => "role",
            Self::ByKey => "by_key",
            Self::KeyOver => "key_over",
            Self::OwnKey => "own_key",
            Self::Scopes(_) => "scopes",
            Self::FixedScopes => "fixed_scopes",
            Self::Expiry => "expiry",
            Self::Limits => "limits",
            Self::Networks => "networks",
            Self::Tenant => "tenant",
            Self::Owner => "owner",
            Self::NotEntitled => "not_entitled",
            Self::Suspended => "suspended",
        }
    }
}

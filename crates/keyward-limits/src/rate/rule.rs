use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use keyward::{Limit, Principal};

use super::subject::Who;

/// Whose requests are counted together, and how many of them may pass.
///
/// ```
/// # use std::time::Duration;
/// # use keyward::Limit;
/// # use keyward_limits::Rule;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let second = Limit::new(10, Duration::from_secs(1)).ok_or("no limit")?;
/// let day = Limit::new(1_000, Duration::from_secs(24 * 3600)).ok_or("no limit")?;
///
/// // What the record of a key says, or both of these where it says nothing.
/// let keys = Rule::per_key("key").limits([second, day]);
/// // By the plan of its tenant, whatever the record says.
/// let plans = Rule::per_tenant("plan").limits_of(move |key| match key.role() {
///     Some("trial") => vec![second],
///     _ => vec![second, day],
/// });
/// # let _ = (keys, plans);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Rule {
    pub(super) name: Arc<str>,
    pub(super) by: By,
    limits: Limits,
}

#[derive(Clone)]
pub(super) enum By {
    Key,
    Owner,
    Tenant,
    Address,
    Client(Arc<ClientName>),
}

type ClientName = dyn Fn(&Parts) -> Option<String> + Send + Sync;
type LimitsOf = dyn Fn(&Principal) -> Vec<Limit> + Send + Sync;

#[derive(Clone)]
enum Limits {
    OfRecordOr(Vec<Limit>),
    Fixed(Vec<Limit>),
    Of(Arc<LimitsOf>),
}

impl Rule {
    /// The requests of each key, those of the keys that it took the place of, or that take its place,
    /// among them. The limits are those of its record, or where it has none, those given here; where
    /// people set the limits of their own keys, another rule, or
    /// [`limits_of`](Rule::limits_of), bounds them.
    ///
    /// The name stands in the answers, and tells this rule from others.
    #[must_use]
    pub fn per_key(name: impl Into<Arc<str>>) -> Self {
        Self::new(name, By::Key, Limits::OfRecordOr(Vec::new()))
    }

    /// The requests of each owner in each tenant, with all its keys there. Keys without an owner are not
    /// counted.
    #[must_use]
    pub fn per_owner(name: impl Into<Arc<str>>) -> Self {
        Self::new(name, By::Owner, Limits::Fixed(Vec::new()))
    }

    /// The requests of each tenant, with all its keys.
    #[must_use]
    pub fn per_tenant(name: impl Into<Arc<str>>) -> Self {
        Self::new(name, By::Tenant, Limits::Fixed(Vec::new()))
    }

    /// The requests without a key of each client address, which [`RateLimits::address`] tells. Those
    /// whose address is not known are counted together. Of IPv6, a network of 64 bits counts as one.
    ///
    /// [`RateLimits::address`]: crate::RateLimits::address
    #[must_use]
    pub fn per_address(name: impl Into<Arc<str>>) -> Self {
        Self::new(name, By::Address, Limits::Fixed(Vec::new()))
    }

    /// The requests of each client, by a name that the host gives it; `None` is not counted. So requests
    /// with a session and requests with a key can be held to one limit.
    #[must_use]
    pub fn per_client(
        name: impl Into<Arc<str>>,
        client: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let by = By::Client(Arc::new(client));
        Self::new(name, by, Limits::Fixed(Vec::new()))
    }

    /// All of these hold.
    #[must_use]
    pub fn limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        let limits = limits.into_iter().collect();
        self.limits = match self.by {
            By::Key => Limits::OfRecordOr(limits),
            _ => Limits::Fixed(limits),
        };
        self
    }

    /// Those hold that this gives for a key. It is asked once for as long as the key stays cached.
    /// Requests without a key are then not counted.
    #[must_use]
    pub fn limits_of(
        mut self,
        limits: impl Fn(&Principal) -> Vec<Limit> + Send + Sync + 'static,
    ) -> Self {
        self.limits = Limits::Of(Arc::new(limits));
        self
    }

    fn new(name: impl Into<Arc<str>>, by: By, limits: Limits) -> Self {
        Self {
            name: name.into(),
            by,
            limits,
        }
    }

    /// Whether all that it asks for is in the principal.
    pub(super) const fn is_of_key(&self) -> bool {
        matches!(self.by, By::Key | By::Owner | By::Tenant)
    }

    /// Whether it bears on requests without a key.
    pub(super) const fn needs_key(&self) -> bool {
        self.is_of_key() || matches!(self.limits, Limits::Of(_))
    }

    /// For whom the requests of a key are counted.
    pub(super) fn who(&self, key: &Principal) -> Option<Who> {
        match &self.by {
            By::Key => Some(Who::Key(key.limited_as().clone())),
            By::Owner => {
                let owner = key.owner().cloned()?;
                Some(Who::Owner(key.tenant().into(), owner))
            }
            By::Tenant => Some(Who::Tenant(key.tenant().into())),
            By::Address | By::Client(_) => None,
        }
    }

    /// The limits that hold for this request.
    pub(super) fn limits_for(&self, key: Option<&Principal>) -> Vec<Limit> {
        match (&self.limits, key) {
            (Limits::OfRecordOr(_), Some(key)) if !key.limits().is_empty() => key.limits().to_vec(),
            (Limits::OfRecordOr(limits) | Limits::Fixed(limits), _) => limits.clone(),
            (Limits::Of(limits), Some(key)) => limits(key),
            (Limits::Of(_), None) => Vec::new(),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            By::Key => "key",
            By::Owner => "owner",
            By::Tenant => "tenant",
            By::Address => "address",
            By::Client(_) => "client",
        };
        f.debug_struct("Rule")
            .field("name", &self.name)
            .field("by", &by)
            .finish_non_exhaustive()
    }
}

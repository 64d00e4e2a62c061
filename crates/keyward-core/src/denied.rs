use std::time::Duration;

use keyward_store::Scopes;

/// A refusal.
///
/// What a client may be told is its [`kind`](Denied::kind) and what belongs to that; why exactly is
/// its [`reason`](Denied::reason), which is for logs and never for the client: to whoever tries
/// keys, unknown, revoked and expired ones must look the same.
#[derive(Clone, Debug)]
pub struct Denied {
    kind: DeniedKind,
    reason: Reason,
    required: Option<Scopes>,
    retry_after: Option<Duration>,
    grpc: bool,
}

/// What a client is told of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedKind {
    /// No credential was sent.
    NoCredential,
    /// What was sent cannot be read as one credential.
    InvalidRequest,
    /// What was sent is not a key that is good now.
    InvalidToken,
    /// The key's tenant or owner may not use keys at present.
    NotEntitled,
    /// The key may not be used from where the request comes.
    AddressNotAllowed,
    /// The request was made by a browser, where keys do not belong.
    FromBrowser,
    /// The request came in the clear.
    NotEncrypted,
    /// The key is good, but not for this.
    InsufficientScope,
    /// There were too many requests.
    TooManyRequests,
    /// Whether the key is good could not be found out.
    Unavailable,
    /// The service forgot the layer that verifies keys.
    LayerMissing,
}

/// Why exactly, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No credential was sent.
    #[error("no credential")]
    NoCredential,
    /// One source holds several credentials.
    #[error("several credentials in one source")]
    Repeated,
    /// Two sources hold a credential.
    #[error("credentials in two sources")]
    TwoSources,
    /// The scheme is right, and what follows is no token.
    #[error("malformed credential")]
    Malformed,
    /// No registered format is spelled like this.
    #[error("not spelled like a key")]
    NotAKey,
    /// No record.
    #[error("no such key")]
    Unknown,
    /// A record, and another secret.
    #[error("wrong secret")]
    WrongSecret,
    /// Revoked.
    #[error("revoked")]
    Revoked,
    /// Expired.
    #[error("expired")]
    Expired,
    /// Another key has taken its place, and the time of both is over.
    #[error("retired")]
    Retired,
    /// The key is suspended.
    #[error("suspended")]
    Suspended,
    /// Its tenant is suspended.
    #[error("tenant suspended")]
    TenantSuspended,
    /// Its owner is suspended.
    #[error("owner suspended")]
    OwnerSuspended,
    /// Its tenant or owner is not entitled.
    #[error("not entitled")]
    NotEntitled,
    /// The address is not among those that the key may be used from, or is not known.
    #[error("address not allowed")]
    AddressNotAllowed,
    /// A browser sent it.
    #[error("sent by a browser")]
    FromBrowser,
    /// It came in the clear.
    #[error("not encrypted")]
    NotEncrypted,
    /// A limit was reached.
    #[error("limit reached")]
    LimitReached,
    /// Too many requests from one address have failed.
    #[error("too many failures from one address")]
    TooManyFailures,
    /// The limits that nodes share cannot be asked.
    #[error("shared limits are away")]
    LimitsAway,
    /// A scope is missing.
    #[error("scope missing")]
    ScopeMissing,
    /// It belongs to another tenant.
    #[error("another tenant")]
    OtherTenant,
    /// The store reported a failure.
    #[error("the store failed")]
    StoreFailed,
    /// The store did not answer in time.
    #[error("the store did not answer in time")]
    LoadTimedOut,
    /// The store panicked.
    #[error("the store panicked")]
    LoadPanicked,
    /// The store answered, twice, with what was known to be out of date.
    #[error("the store's answers are out of date")]
    Stale,
    /// This node has not reached the register of nodes for the length of a lease.
    #[error("cut off from the register of nodes")]
    CutOff,
    /// The service has been shut down.
    #[error("the service has been shut down")]
    ShutDown,
    /// Too many look-ups are on their way.
    #[error("too many look-ups")]
    Overloaded,
    /// The record was made with a pepper that this node does not have.
    #[error("a pepper is not live here")]
    PepperNotLive,
    /// The record is kept as another system kept it, in a scheme that this node was not given.
    #[error("a foreign hash cannot be compared here")]
    SchemeNotRegistered,
    /// A layer is missing.
    #[error("a layer is missing")]
    LayerMissing,
}

impl Denied {
    const fn new(kind: DeniedKind, reason: Reason) -> Self {
        Self {
            kind,
            reason,
            required: None,
            retry_after: None,
            grpc: false,
        }
    }

    /// No credential was sent.
    #[must_use]
    pub const fn no_credential() -> Self {
        Self::new(DeniedKind::NoCredential, Reason::NoCredential)
    }

    /// What was sent cannot be read as one credential.
    #[must_use]
    pub const fn invalid_request(reason: Reason) -> Self {
        Self::new(DeniedKind::InvalidRequest, reason)
    }

    /// What was sent is not a key that is good now.
    #[must_use]
    pub const fn invalid_token(reason: Reason) -> Self {
        Self::new(DeniedKind::InvalidToken, reason)
    }

    /// The key's tenant or owner may not use keys at present.
    #[must_use]
    pub const fn not_entitled() -> Self {
        Self::new(DeniedKind::NotEntitled, Reason::NotEntitled)
    }

    /// The key may not be used from where the request comes.
    #[must_use]
    pub const fn address_not_allowed() -> Self {
        Self::new(DeniedKind::AddressNotAllowed, Reason::AddressNotAllowed)
    }

    /// The request was made by a browser, where keys do not belong.
    #[must_use]
    pub const fn from_browser() -> Self {
        Self::new(DeniedKind::FromBrowser, Reason::FromBrowser)
    }

    /// The request came in the clear.
    #[must_use]
    pub const fn not_encrypted() -> Self {
        Self::new(DeniedKind::NotEncrypted, Reason::NotEncrypted)
    }

    /// There were too many requests; the next one may come after so long.
    #[must_use]
    pub const fn too_many_requests(reason: Reason, retry_after: Duration) -> Self {
        let mut denied = Self::new(DeniedKind::TooManyRequests, reason);
        denied.retry_after = Some(retry_after);
        denied
    }

    /// The key lacks scopes; these are what the route needs.
    #[must_use]
    pub fn insufficient_scope(required: Scopes) -> Self {
        let mut denied = Self::new(DeniedKind::InsufficientScope, Reason::ScopeMissing);
        denied.required = Some(required);
        denied
    }

    /// The key belongs to another tenant than the resource. It is told as a missing scope without
    /// a name.
    #[must_use]
    pub const fn other_tenant() -> Self {
        Self::new(DeniedKind::InsufficientScope, Reason::OtherTenant)
    }

    /// Whether the key is good could not be found out.
    #[must_use]
    pub const fn unavailable(reason: Reason) -> Self {
        Self::new(DeniedKind::Unavailable, reason)
    }

    /// The service forgot the layer that verifies keys.
    #[must_use]
    pub const fn layer_missing() -> Self {
        Self::new(DeniedKind::LayerMissing, Reason::LayerMissing)
    }

    /// The same, to be answered in gRPC's way if the request was gRPC's.
    #[must_use]
    pub const fn over_grpc(mut self, grpc: bool) -> Self {
        self.grpc = grpc;
        self
    }

    /// What the client is told.
    #[must_use]
    pub const fn kind(&self) -> DeniedKind {
        self.kind
    }

    /// Why exactly, for operators alone.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The scopes that the route needs, when one of them is missing.
    #[must_use]
    pub const fn required_scopes(&self) -> Option<&Scopes> {
        self.required.as_ref()
    }

    /// Whether the request was one of gRPC.
    #[must_use]
    pub const fn is_grpc(&self) -> bool {
        self.grpc
    }

    /// How long a client should wait before it asks again, in whole seconds: not less than it takes.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match (self.kind, self.retry_after) {
            (_, Some(after)) => {
                let part = (after.subsec_nanos() > 0) as u64;
                let seconds = after.as_secs().saturating_add(part);
                Some(Duration::from_secs(seconds))
            }
            (DeniedKind::Unavailable, None) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl DeniedKind {
    /// The stable word for it, in bodies and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCredential => "no_credential",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::NotEntitled => "not_entitled",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::FromBrowser => "browser_not_allowed",
            Self::NotEncrypted => "encryption_required",
            Self::InsufficientScope => "insufficient_scope",
            Self::TooManyRequests => "too_many_requests",
            Self::Unavailable => "unavailable",
            Self::LayerMissing => "layer_missing",
        }
    }

    /// The HTTP status (RFC 9110 §15, RFC 6750 §3.1).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NoCredential | Self::InvalidToken => 401,
            Self::InvalidRequest => 400,
            Self::NotEntitled
            | Self::AddressNotAllowed
            | Self::FromBrowser
            | Self::NotEncrypted
            | Self::InsufficientScope => 403,
            Self::TooManyRequests => 429,
            Self::Unavailable => 503,
            Self::LayerMissing => 500,
        }
    }

    /// The gRPC status code.
    #[must_use]
    pub const fn grpc_status(self) -> u8 {
        match self {
            Self::NoCredential | Self::InvalidToken => 16,
            Self::InvalidRequest => 3,
            Self::NotEntitled
            | Self::AddressNotAllowed
            | Self::FromBrowser
            | Self::NotEncrypted
            | Self::InsufficientScope => 7,
            Self::TooManyRequests => 8,
            Self::Unavailable => 14,
            Self::LayerMissing => 13,
        }
    }

    /// A sentence for people. It says no more than the kind does.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NoCredential => "An API key is required.",
            Self::InvalidRequest => "The request must bear exactly one well-formed API key.",
            Self::InvalidToken => "The API key is not valid.",
            Self::NotEntitled => "The present plan does not include API keys.",
            Self::AddressNotAllowed => "The API key may not be used from this address.",
            Self::FromBrowser => {
                "API keys are for servers: requests with a key must not be made by browsers."
            }
            Self::NotEncrypted => "API keys must be sent over HTTPS.",
            Self::InsufficientScope => "The API key may not do this.",
            Self::TooManyRequests => "There were too many requests.",
            Self::Unavailable => "The API key cannot be verified at the moment.",
            Self::LayerMissing => {
                "This route asks for an API key, but no ApiKeyLayer is mounted around it."
            }
        }
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind.detail())
    }
}

impl std::error::Error for Denied {}

//! API keys for axum, hyper and tonic services.
//!
//! [`ApiKeyLayer`] is a tower layer. A request that bears a good key reaches the inner service with
//! its [`Principal`] in the extensions; every other request gets the answer that RFC 6750 and
//! RFC 9457 ask for. [`RequireScopes`] asks for more on single routes; [`DeprecationLayer`] tells
//! clients whose key is being replaced.
//!
//! ```
//! use axum::{Router, routing::get};
//! use keyward::{ApiKeyLayer, KeyFormat, Keyward, NewKey, Principal, RequireScopes, Scope};
//! use keyward_memory::MemoryStore;
//!
//! const READ: Scope = Scope::from_static("orders:read");
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Keyward::builder(MemoryStore::default())
//!     .format(KeyFormat::new("acme_live")?)
//!     .start()
//!     .await?;
//!
//! let issued = keys.issue(NewKey::named("ci").tenant("acme-inc").scopes([READ])).await?;
//! println!("{}", issued.secret.expose()); // the only time
//!
//! let app: Router = Router::new()
//!     .route("/orders", get(orders))
//!     .route_layer(RequireScopes::all([READ]))
//!     .layer(ApiKeyLayer::new(keys.verifier()));
//!
//! async fn orders(key: Principal) -> String {
//!     format!("orders of {}", key.tenant())
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to put the layer
//! With `Router::layer`, unknown paths are answered 401 as well; with `Router::route_layer` they
//! stay 404. A route that is added after either is not protected: its handler runs for anyone,
//! unless it takes a [`Principal`], which refuses to be extracted without the layer.
//!
//! # Answers
//! | situation | status | gRPC | `error` of the challenge |
//! |---|---|---|---|
//! | no credential, or one of another scheme | 401 | 16 | – |
//! | several credentials, or a malformed one | 400 | 3 | `invalid_request` |
//! | not a key, unknown, wrong, revoked, expired, suspended: all alike | 401 | 16 | `invalid_token` |
//! | scope missing | 403 | 7 | `insufficient_scope` |
//! | tenant or owner not entitled | 403 | 7 | – |
//! | the store cannot answer | 503 | 14 | – |
//! | a layer is missing | 500 | 13 | – |
//!
//! [`DeniedKind`] has the stable words for them.
//!
//! # Features
//! `axum`, on unless switched off, has the extractors `Principal` and `Option<Principal>`;
//! `test-util` has [`Principal`]'s `for_test`.

mod credential;
mod deprecation;
mod layer;
mod principal;
mod reject;
mod require;
mod service;
mod sources;

/// The futures of this crate's services.
pub mod future;

pub use keyward_core::{
    Acting, Action, Actor, Anonymous, Builder, BulkRevoke, Confirmation, ConfirmedRevoke, Denied,
    DeniedKind, Events, Health, ImportError, Invalid, IssueError, Issued, KeyUpdate, Keyward,
    LifecycleError, MetadataError, NewKey, Outcome, PendingVerification, Policy, Principal, Reach,
    Reason, Receipt, Refusal, Revoke, Role, Rotate, ScopeRule, Standing, StartError, Verification,
    Verifier,
};
pub use keyward_store::{
    Alphabet, Applied, AuditAction, AuditEntry, AuditOrder, AuditQuery, AuditRecord, Beat,
    Beginning, BeginningError, BootTime, Candidates, Change, Changes, Clock, CommitError, Cursor,
    Digest, Event, EventSubject, Expectation, Feed, ForeignHash, ForeignKeys, FormatError, Formats,
    GenerateError, Generated, HistoryId, IdShape, InvalidId, Kept, KeptAs, KeyFilter, KeyFormat,
    KeyFormatBuilder, KeyHash, KeyId, KeyRecord, KeySnapshot, KeyStatus, KeyStore, Limit,
    ListCursor, ListQuery, Loaded, LocalLog, LocalRegister, Locator, Lookup, MAX_KEY_BYTES,
    MAX_LOOKUP_CANDIDATES, ManualClock, Node, NodeId, Origin, Owner, Page, Parsed, Pepper,
    PepperError, PepperId, Peppers, Plaintext, PublicId, ReadFrom, Records, Register,
    RegisteredNode, Scope, ScopeError, Scopes, Selector, Statuses, StoreError, Subject,
    SubjectState, Successor, TenantId, Token, Use, Write, Writers,
};

pub use credential::is_grpc;
pub use deprecation::{DeprecationLayer, DeprecationService};
pub use layer::ApiKeyLayer;
pub use principal::principal;
pub use reject::{GrpcStatus, ProblemJson, Reject};
pub use require::{RequireScopes, RequireScopesService};
pub use service::ApiKeyService;
pub use sources::Sources;

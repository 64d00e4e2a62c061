//! The vocabulary of Keyward, and what a store compiles against.
//!
//! A *format* says how a key is spelled, a *hash* how it is kept, a *record* what is known of it, a
//! *change* what shall become of it. A store implements one, two or three of the traits
//! [`Lookup`], [`Records`] and [`KeyStore`]; it states facts and judges nothing: expiry,
//! revocation and scopes are decided in one place, the verifier of `keyward-core`.
//!
//! This crate knows no cache and no HTTP, and breaks rarely.

mod audit;
mod beginning;
mod change;
mod clock;
mod digest;
mod error;
mod feed;
mod filter;
mod foreign;
mod format;
mod forward;
mod hash;
mod ids;
mod kept;
mod limit;
mod local_log;
mod local_register;
mod pepper;
mod plaintext;
mod public_id;
mod query;
mod record;
mod register;
mod scope;
mod selector;
mod status;
mod store;
mod subject;
mod token;

pub use audit::{AuditAction, AuditEntry, AuditOrder, AuditQuery, AuditRecord};
pub use beginning::{Beginning, BeginningError};
pub use change::{Change, Expectation, Write};
pub use clock::{BootTime, Clock, ManualClock};
pub use digest::Digest;
pub use error::{CommitError, StoreError};
pub use feed::{
    Changes, Cursor, Event, EventSubject, Feed, HistoryId, Loaded, Origin, ReadFrom, Writers,
};
pub use filter::{KeptAs, KeyFilter};
pub use foreign::{ForeignHash, ForeignKeys, Locator, MAX_LOOKUP_CANDIDATES};
pub use format::{
    Alphabet, FormatError, Formats, GenerateError, Generated, IdShape, KeyFormat, KeyFormatBuilder,
    MAX_KEY_BYTES, Parsed,
};
pub use hash::KeyHash;
pub use ids::{InvalidId, KeyId, Owner, TenantId};
pub use kept::Kept;
pub use limit::Limit;
pub use local_log::LocalLog;
pub use local_register::LocalRegister;
pub use pepper::{Pepper, PepperError, PepperId, Peppers};
pub use plaintext::Plaintext;
pub use public_id::PublicId;
pub use query::{ListCursor, ListQuery, Page, Use};
pub use record::{KeyRecord, KeySnapshot, Successor};
pub use register::{Applied, Beat, Node, NodeId, Register, RegisteredNode};
pub use scope::{Scope, ScopeError, Scopes};
pub use selector::{Candidates, Selector};
pub use status::{KeyStatus, Statuses};
pub use store::{KeyStore, Lookup, Records};
pub use subject::{Subject, SubjectState};
pub use token::Token;

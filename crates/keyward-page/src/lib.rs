//! The settings page on which people manage their API keys.
//!
//! [`Page`] is a mountable axum [`Router`](axum::Router): a list with search and filters, a form for new
//! keys, the secret shown once, rotation with an overlap, revocation, and the history of each key. The
//! host says who asks, by [`Actors`](keyward_admin::Actors); what they may do, and so which buttons
//! there are, is the policy's to say.
//!
//! ```
//! use axum::http::{StatusCode, request::Parts};
//! use keyward::{Actor, KeyFormat, Keyward, Owner, Policy, Reach, Role, Scope};
//! use keyward_memory::MemoryStore;
//! use keyward_page::Page;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const READ: Scope = Scope::from_static("orders:read");
//! # #[derive(Clone)] struct Session { user: String, team: String }
//!
//! let keys = Keyward::builder(MemoryStore::default())
//!     .format(KeyFormat::new("acme_live")?)
//!     .policy(Policy::new().role(Role::named("member").grants([READ]).manages(Reach::Own)))
//!     .start()
//!     .await?;
//! let actors = |parts: &Parts| {
//!     let session: &Session = parts.extensions.get().ok_or(StatusCode::UNAUTHORIZED)?;
//!     let user = Owner::new("user", &*session.user);
//!     Ok::<_, StatusCode>(Actor::user(user, &*session.team).role("member"))
//! };
//! let page = Page::new(keys, actors).scope(READ, "See orders");
//! let app: axum::Router = axum::Router::new().merge(page.at("/settings/api-keys"));
//! # Ok(())
//! # }
//! ```
//!
//! # What it takes care of
//! - The secret is in the body of one answer, and nowhere else: in no address, no cookie, no storage of
//!   the browser and no cache. To reload that answer makes no second key; Back does not show it again.
//! - Of a key that is pasted into the search, its hint is looked for, and the address is shortened to that.
//! - Every form works without scripts. The script of some hundred lines turns questions into dialogs,
//!   copies secrets, and keeps a second click from losing one.
//! - Nothing is inline, and the `Content-Security-Policy` says so. What other sites send is refused;
//!   requests with neither `Origin` nor `Sec-Fetch-Site`, which no browser of today sends, are not.
//! - Names are shown as they are written, whatever they hold.
//!
//! # Looks and language
//! The style sheet is made of the variables that its first lines list, `--keyward-accent` and the like;
//! [`Page::stylesheet`] adds one of the host's to set them. [`Page::messages`] replaces every text.

mod asker;
mod assets;
mod base;
mod change;
mod create;
mod details;
mod failure;
mod fields;
mod history;
mod list;
mod messages;
mod offer;
mod page;
mod reveal;
mod router;
mod row;
mod search;
mod time;

pub use messages::Messages;
pub use page::Page;

//! Managing API keys over HTTP.
//!
//! The host says who asks: [`Actors`]. What they may do is the policy's to say. [`Admin`] makes routes
//! of it for the host's own axum router, and their description in OpenAPI.
//!
//! # Routes
//! | route | answers |
//! |---|---|
//! | `GET /api-keys` | 200, an array of [keys](KeyView), newest first; `Link: <…>; rel="next"` leads on |
//! | `POST /api-keys` | 201, `{id, name, prefix, key, expiresAt, createdAt}`: the key is told once |
//! | `GET /api-keys/{id}` | 200, a [key](KeyView), revoked ones too |
//! | `PATCH /api-keys/{id}` | 200, the [key](KeyView) as it is then |
//! | `DELETE /api-keys/{id}`, `POST /api-keys/{id}/revoke` | 204, also when done again |
//! | `POST /api-keys/{id}/rotate` | 201, in the shape of a creation |
//! | `DELETE /api-keys/{id}/rotation` | 204: the rotation is undone, while both keys are good |
//! | `POST /api-keys/{id}/suspend`, `…/resume` | 204, also when done again |
//! | `GET /api-keys/{id}/events` | 200, an array of what happened, newest first, paged as the list |
//! | `POST /api-keys/revoke` | 200, `{count, dryRun}` |
//! | `GET /api-keys/reports/unused`, `…/expiring` | 200, as the list |
//! | `POST /api-keys/verify`, where [wanted](Admin::introspection) | 200, `{valid}` |
//!
//! Whatever goes wrong is a [`Problem`]: bad input is a 400 or a 422 that names each parameter or field,
//! a key of another tenant is the same 404 as none, and a store that cannot answer is a 503. A field or a
//! parameter that is not known is refused, and so are two members of one name. No answer may be kept by
//! a cache. An API key manages keys only where the [policy](keyward::Policy::keys_manage) says so.
//!
//! With an `Idempotency-Key`, of all requests of one maker for a new key in 24 hours one makes it; to the
//! others it is named in a 409, without its secret, which is kept nowhere.
//!
//! # Browsers
//! Whoever lets people manage keys by a cookie is open to pages of other sites that send requests with
//! it. Whatever changes something is refused when `Sec-Fetch-Site` tells of another site or, for browsers
//! that do not send it and over plain HTTP, when `Origin` is not the `Host` that was asked;
//! [`Admin::trust`] makes exceptions. Requests with neither header come from no browser and are accepted,
//! and so are those with `Authorization: Bearer`, which a browser adds to nothing by itself; an
//! `ApiKeyLayer` in front takes that header off, so what it lets in is looked at like the rest. A proxy
//! that signs people in and makes such a header of their cookie must check where requests come from
//! itself. A body must be JSON besides, which no form is.

mod actors;
mod admin;
mod body;
mod fields;
mod openapi;
mod other_sites;
mod paging;
mod params;
mod problem;
mod routes;
mod time;
mod view;

pub use actors::{Actors, Extracted};
pub use admin::Admin;
pub use openapi::{bearer_scheme, security_of};
pub use problem::{FieldError, Problem};
pub use view::{KeyView, LimitView, OwnerView, SuccessorView};

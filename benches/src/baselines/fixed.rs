//! tower-http's one fixed token: one comparison of strings, no principal, the same token for everybody.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use tower_http::validate_request::ValidateRequestHeaderLayer;

use super::{TOKEN, name};
use crate::Result;
use crate::lineup::{Lineup, Traffic};

#[expect(
    deprecated,
    reason = "the one ready-made bearer check there is, deprecated as too basic and still there"
)]
pub(super) fn enter(lineup: &mut Lineup) -> Result<()> {
    let traffic = Traffic::bearer(TOKEN, StatusCode::OK)?;

    let layer = ValidateRequestHeaderLayer::<
        tower_http::auth::require_authorization::Bearer<Full<Bytes>>,
    >::bearer(TOKEN);
    lineup.bare(name::FIXED, layer, traffic.clone());

    let layer =
        ValidateRequestHeaderLayer::<tower_http::auth::require_authorization::Bearer<Body>>::bearer(
            TOKEN,
        );
    lineup.router(name::FIXED, |router| router.layer(layer), traffic);
    Ok(())
}

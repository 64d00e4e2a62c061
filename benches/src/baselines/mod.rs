//! What people put in front of their services today, from nothing at all to signed tokens.

mod cached;
mod fixed;
mod guard;
mod jwt;
mod no_op;

use std::sync::Arc;

use http::{Extensions, HeaderMap, StatusCode};
use tower::layer::{layer_fn, util::Identity};

use self::guard::{Check, GuardLayer, Handed};
use self::no_op::NoOp;
use crate::Result;
use crate::lineup::{Lineup, Traffic};

/// Names that the report compares with.
pub(crate) mod name {
    pub(crate) const SERVICE: &str = "service";
    pub(crate) const NO_OP: &str = "no-op layer";
    pub(crate) const EXTENSION: &str = "extension insert";
    pub(crate) const FIXED: &str = "tower-http fixed bearer";
    pub(crate) const CACHED: &str = "boxed future + moka::future";
    pub(crate) const HS256: &str = "jsonwebtoken HS256";
    pub(crate) const EDDSA: &str = "jsonwebtoken EdDSA";
}

/// Enters every baseline on both beds.
pub(crate) fn enter(lineup: &mut Lineup) -> Result<()> {
    let traffic = Traffic::bearer(TOKEN, StatusCode::OK)?;

    lineup.bare(name::SERVICE, Identity::new(), traffic.clone());
    lineup.router(name::SERVICE, |router| router, traffic.clone());

    lineup.bare(name::NO_OP, layer_fn(NoOp), traffic.clone());
    lineup.router(
        name::NO_OP,
        |router| router.layer(layer_fn(NoOp)),
        traffic.clone(),
    );

    let insert = GuardLayer::new(Insert(Handed(Arc::new(TOKEN.len()))));
    lineup.bare(name::EXTENSION, insert.clone(), traffic.clone());
    lineup.router(name::EXTENSION, |router| router.layer(insert), traffic);

    fixed::enter(lineup)?;
    cached::enter(lineup)?;
    jwt::enter(lineup)
}

/// As long as a key of Keyward's default format.
const TOKEN: &str = "acme_live_0123456789A_0123456789ABCDEFGHIJKLMN0a1B2c";

/// Checks nothing and hands something to the handler: the least that a middleware of this kind can do.
#[derive(Clone)]
struct Insert(Handed<usize>);

impl Check for Insert {
    fn check(&self, _: &HeaderMap, extensions: &mut Extensions) -> bool {
        extensions.insert(self.0.clone());
        true
    }
}

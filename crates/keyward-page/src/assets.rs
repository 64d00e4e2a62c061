//! The style sheet and the script, under names that change with their content.

use axum::Extension;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::failure::Failure;
use crate::fields::Named;

pub(crate) const STYLE: Asset = Asset {
    stem: "style",
    end: "css",
    kind: "text/css; charset=utf-8",
    text: include_str!("../assets/style.css"),
    hash: fnv1a(include_bytes!("../assets/style.css")),
};

pub(crate) const SCRIPT: Asset = Asset {
    stem: "page",
    end: "js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("../assets/page.js"),
    hash: fnv1a(include_bytes!("../assets/page.js")),
};

/// A file that is the same for everybody.
pub(crate) struct Asset {
    stem: &'static str,
    end: &'static str,
    kind: &'static str,
    text: &'static str,
    hash: u64,
}

impl Asset {
    pub(crate) fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, self.hash, self.end)
    }
}

/// Marks an answer that caches may keep.
#[derive(Clone, Debug)]
pub(crate) struct Kept;

pub(crate) async fn asset(Named(name): Named) -> Response {
    let mut known = [STYLE, SCRIPT].into_iter();
    let Some(asset) = known.find(|asset| asset.name() == name) else {
        return Failure::NoPage.into_response();
    };
    let headers = [
        (CONTENT_TYPE, asset.kind),
        // Whatever has another content has another name.
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, Extension(Kept), asset.text).into_response()
}

/// Tells contents apart; nobody has a reason to make two that meet.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

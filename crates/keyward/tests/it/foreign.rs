//! Keys of another system, over HTTP.

use axum::Router;
use axum::routing::get as route;
use keyward::{ApiKeyLayer, KeyFormat, Keyward, NewKey, Principal};
use keyward_import::{Sanctum, SanctumRow};
use keyward_memory::MemoryStore;

use crate::support::status;

// PHP 8.2.36, by what Sanctum 4 does: $t = <40 letters and digits> . hash("crc32b", <these>);
// echo "12|$t ", hash("sha256", $t);
const TOKEN: &str = "12|Dr8uEJQGWLDKv1HgXLk66lxeBYyR2G0gQfAglR3w0198d0c2";
const DIGEST: &str = "69113a43b309035e5a5c413d3ce15370175eeb6281c3a7093e67062222c291a0";

/// A bar is no character of a bearer token (RFC 6750 §2.1), but Laravel's clients send it. Whatever is
/// spelled like such a key is answered like any other, cached or not.
#[tokio::test]
async fn a_key_may_have_characters_that_no_token_has() {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live").unwrap())
        .foreign(Sanctum::new())
        .start()
        .await
        .unwrap();
    let kept = Sanctum::new()
        .read(&SanctumRow::new(12, DIGEST))
        .unwrap()
        .kept;
    let new = NewKey::named("ci").tenant("acme");
    let imported = keys.import(new, kept).await.unwrap();
    let app = Router::new()
        .route("/", route(async |_: Principal| "ok"))
        .layer(ApiKeyLayer::new(keys.verifier()));
    let right = format!("Bearer {TOKEN}");
    let wrong = format!("Bearer {}3", &TOKEN[..TOKEN.len() - 1]);
    for _cached in [false, true] {
        assert_eq!(status(&app, &right).await, 200);
        assert_eq!(status(&app, &wrong).await, 401);
        assert_eq!(status(&app, "Bearer no|token").await, 400);
    }
    keys.revoke(&imported.id).await.unwrap();
    for _cached in [false, true] {
        assert_eq!(status(&app, &right).await, 401);
    }
}

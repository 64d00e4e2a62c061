//! Limits per key and per tenant, limits of failed attempts, and no keys from browsers.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example limits
//! ```
//!
//! and try the curl lines that it prints. `PORT` chooses another port than 3000.
//!
//! With `REDIS_URL=redis://…` several instances share what they count: start two on different ports, and
//! the five requests of the tenant are five on both together. The keys of each are its own, as they are in
//! memory; on Postgres, their limits are shared just so.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http::request::Parts;
use keyward::{ApiKeyLayer, Issued, KeyFormat, Keyward, Limit, NewKey, Principal};
use keyward_limits::{
    FailureLimitLayer, GuardLayer, RateLimitLayer, RateLimits, Rule, TrustedProxies, WhenAway,
};
use keyward_memory::MemoryStore;
use keyward_redis::RedisLimits;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live")?)
        .start()
        .await?;
    let new = |name| NewKey::named(name).tenant("acme-inc");
    let (issued, other) = (keys.issue(new("ci")).await?, keys.issue(new("cli")).await?);

    let limit = |requests, per| Limit::new(requests, per).ok_or("no limit");
    let limits = RateLimits::new([
        Rule::per_key("key").limits([limit(3, MINUTE)?]),
        Rule::per_tenant("tenant").limits([limit(5, 60 * MINUTE)?]),
    ]);
    let limits = match std::env::var("REDIS_URL") {
        // While Redis is away, each of two instances holds everyone to half of each limit.
        Ok(url) => limits.shared("orders", RedisLimits::new(&url)?, WhenAway::LocalShare(TWO)),
        Err(_) => limits,
    };

    // Behind proxies of one's own, they say who asks; nobody else is believed.
    let proxies = TrustedProxies::new([]);
    let client = move |parts: &Parts| -> Option<IpAddr> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
        Some(proxies.client(peer.ip(), &parts.headers))
    };

    let app = Router::new()
        .route("/orders", get(orders))
        .layer(RateLimitLayer::new(limits).tell_always())
        .layer(ApiKeyLayer::new(keys.verifier()))
        .layer(FailureLimitLayer::new(limit(2, MINUTE)?, client))
        .layer(GuardLayer::new().no_browsers());

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    print_what_to_try(&issued, &other, listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

async fn orders(key: Principal) -> String {
    format!("orders of {}\n", key.tenant())
}

fn print_what_to_try(issued: &Issued, other: &Issued, address: SocketAddr) {
    let (key, other) = (issued.secret.expose(), other.secret.expose());
    println!("key: {key}");
    println!();
    let header = |key| format!("-H 'Authorization: Bearer {key}'");
    let url = format!("http://{address}/orders");
    for (what, line) in [
        (
            "three times 200, and how many are left; then 429, and when to come back",
            format!("{} {url}", header(key)),
        ),
        (
            "another key of the tenant, which has five an hour: twice 200, then 429",
            format!("{} '{url}?key=another'", header(other)),
        ),
        (
            "wrong keys from one address: twice 401, then 429",
            format!("{} '{url}?key=wrong'", header("acme_live_wrong")),
        ),
        (
            "what a browser sends, 403: a key in a page has leaked",
            format!(
                "{} -H 'Origin: https://a.example' '{url}?from=browser'",
                header(key)
            ),
        ),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}

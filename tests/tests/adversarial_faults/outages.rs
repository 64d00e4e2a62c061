//! The store cannot be reached, or does not answer in time.

use std::time::Duration;

use keyward_throwaway::{Database, Proxy};
use tokio::time::{Instant, sleep};

use crate::support::{FORMATS, ROUND_TRIP, Service, Setup, unknown, until};

/// A key that is not cached while the store is away is neither good nor bad, and that is forgotten
/// as soon as the store is back.
#[tokio::test(flavor = "multi_thread")]
async fn db_down_miss() {
    let site = Site::start(|setup| setup).await;
    for format in FORMATS {
        let good = site.service.issue(format).await.secret;
        let bad = unknown(format);
        site.proxy.cut().await;
        for key in [&good, &bad] {
            let asked = Instant::now();
            site.service.is_unavailable_for(key).await;
            let took = asked.elapsed();
            assert!(took < LOAD_LIMIT + ROUND_TRIP, "an answer after {took:?}");
        }
        site.proxy.restore().await.unwrap();
        site.answers_again().await;
        assert_eq!(site.service.status(&good).await, 200);
        assert_eq!(site.service.status(&bad).await, 401);
    }
}

/// An answer that comes too late is none, and none is remembered.
#[tokio::test(flavor = "multi_thread")]
async fn db_timeout_miss() {
    let limit = Duration::from_millis(600);
    let site = Site::start(|setup| setup.load_limit(limit)).await;
    for format in FORMATS {
        let good = site.service.issue(format).await.secret;
        let bad = unknown(format);
        // Each way.
        site.proxy.delay(limit);
        for key in [&good, &bad] {
            let asked = Instant::now();
            site.service.is_unavailable_for(key).await;
            let took = asked.elapsed();
            assert!(took >= limit, "given up after {took:?}");
            assert!(took < limit + ROUND_TRIP, "an answer after {took:?}");
        }
        site.proxy.delay(Duration::ZERO);
        site.answers_again().await;
        assert_eq!(site.service.status(&good).await, 200);
        assert_eq!(site.service.status(&bad).await, 401);
    }
}

/// A cached key is accepted while the lease lasts, although the store is away.
#[tokio::test(flavor = "multi_thread")]
async fn db_down_hit() {
    let site = Site::start(|setup| setup).await;
    let mut keys = Vec::new();
    for format in FORMATS {
        keys.push(site.service.known(format).await.secret);
    }
    let loads = site.service.loads();
    site.proxy.cut().await;
    let cut = Instant::now();
    // Two polls fail meanwhile, and the last one that did not is a second old at most.
    while cut.elapsed() < Duration::from_secs(3) {
        for key in &keys {
            assert_eq!(site.service.status(key).await, 200);
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(site.service.loads(), loads, "hits ask nobody");
}

/// Once the lease is over a cached key is accepted no more: nobody can know whether it still is good.
#[tokio::test(flavor = "multi_thread")]
async fn db_down_lease_over() {
    let lease = Duration::from_secs(2);
    let site = Site::start(|setup| {
        let setup = setup.lease(lease).load_limit(lease / 4);
        setup.poll_interval(lease / 8)
    })
    .await;
    let good = site.service.known(FORMATS[0]).await.secret;
    let revoked = site.service.known(FORMATS[1]).await;

    site.proxy.cut().await;
    let cut = Instant::now();
    let sql = "UPDATE keyward.keys SET revoked_at = now() WHERE id = ";
    let sql = format!("{sql}'{}'", revoked.key.id);
    assert_eq!(site.database.execute(&sql).await.unwrap(), 1);
    let (mut hits, mut refusals) = (0, 0);
    while cut.elapsed() < lease * 2 {
        for key in [&good, &revoked.secret] {
            let answer = site.service.ask(key).await;
            match answer.status {
                200 => {
                    let late = answer.asked.saturating_duration_since(cut + lease);
                    assert!(late.is_zero(), "accepted {late:?} after the lease");
                    hits += 1;
                }
                503 => {
                    assert!(answer.retry_after);
                    refusals += 1;
                }
                status => panic!("{status}"),
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert!(hits > 0 && refusals > 0, "{hits} hits, {refusals} refusals");

    site.proxy.restore().await.unwrap();
    until("it heals", async || site.service.status(&good).await == 200).await;
    assert_eq!(site.service.status(&revoked.secret).await, 401);
}

/// A node whose way to the database can be interrupted.
struct Site {
    service: Service,
    proxy: Proxy,
    database: Database,
}

impl Site {
    async fn start(set: impl FnOnce(Setup) -> Setup) -> Self {
        let database = Database::fresh().await.unwrap();
        let proxy = Proxy::to(database.address()).await.unwrap();
        let service = Service::start(&proxy.url(database.url()), set).await;
        Self {
            service,
            proxy,
            database,
        }
    }

    /// Waits until the store can be asked, with keys of which nothing was remembered.
    async fn answers_again(&self) {
        until("the store answers again", async || {
            self.service.status(&unknown(FORMATS[0])).await == 401
        })
        .await;
    }
}

/// The default of `Builder`.
const LOAD_LIMIT: Duration = Duration::from_secs(2);

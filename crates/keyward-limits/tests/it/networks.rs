//! From where keys may be used.

use axum::Router;
use axum::routing::get as route;
use keyward::{ApiKeyLayer, KeyUpdate};
use keyward_limits::NetworksLayer;

use crate::support::{Fixture, address, bearing, from, new_key, send, with};

fn app(fixture: &Fixture) -> Router {
    Router::new()
        .route("/", route(async || "ok"))
        .layer(NetworksLayer::new(address))
        .layer(ApiKeyLayer::new(fixture.keys.verifier()).optional())
}

#[tokio::test]
async fn a_key_is_good_in_its_networks_alone() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let networks = ["192.0.2.16/28", "2001:db8::/32"].map(|network| network.parse().unwrap());
    let key = fixture.issue(new_key().networks(networks)).await;
    let anywhere = fixture.key().await;
    for _cached in [false, true] {
        for (client, status) in [
            ("192.0.2.16", 200),
            ("192.0.2.31", 200),
            ("192.0.2.32", 403),
            ("::ffff:192.0.2.17", 200),
            ("2001:db8::1", 200),
            ("2001:db9::1", 403),
        ] {
            let answer = send(&app, from(bearing(&key), client)).await;
            assert_eq!(answer.status, status, "{client}");
            assert_eq!(answer.header("www-authenticate"), "");
            let told = answer.body.contains(r#""code":"address_not_allowed""#);
            assert_eq!(told, status == 403);
            assert_eq!(
                send(&app, from(bearing(&anywhere), client)).await.status,
                200
            );
        }
        // Where the address is not known, it is not among them.
        assert_eq!(send(&app, bearing(&key)).await.status, 403);
        assert_eq!(send(&app, bearing(&anywhere)).await.status, 200);
    }
    assert_eq!(send(&app, with(&[])).await.status, 200);
}

#[tokio::test]
async fn a_change_of_networks_is_heeded_at_once() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let key = fixture.key().await;
    let request = || from(bearing(&key), "192.0.2.1");
    assert_eq!(send(&app, request()).await.status, 200);
    for (networks, status) in [(vec!["198.51.100.7/24"], 403), (vec!["192.0.2.1/24"], 200)] {
        let networks = networks.into_iter().map(|network| network.parse().unwrap());
        let update = KeyUpdate::new().networks(networks);
        fixture.keys.update(&key.key.id, update).await.unwrap();
        assert_eq!(send(&app, request()).await.status, status);
    }
}

#[tokio::test]
async fn without_the_key_layer_nothing_passes() {
    let app: Router = Router::new()
        .route("/", route(async || "ok"))
        .layer(NetworksLayer::new(address));
    assert_eq!(send(&app, from(with(&[]), "192.0.2.1")).await.status, 500);
}

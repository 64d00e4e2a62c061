//! Stores that fail, and clients that go away.

use std::time::Duration;

use keyward::KeyFilter;
use keyward_testkit::{Call, Fault};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::world::{ADA, Who, new, path, worlds};

#[tokio::test]
async fn revoke_db_down() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        let revoke = format!("{}/revoke", path(&key.key.id));
        for down in [Call::Find, Call::Commit] {
            world.faults.once(down, Fault::Fail);
            let refused = world.ask(&ADA, "POST", &revoke).await;
            refused.refuses(503, "unavailable");
            assert!(world.accepts(&key.secret).await, "{down:?}");
        }
        world.ask(&ADA, "POST", &revoke).await.is(204);
        assert!(!world.accepts(&key.secret).await);
    }
}

#[tokio::test]
async fn revoke_commit_unknown() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        assert!(world.accepts(&key.secret).await);
        let revoke = format!("{}/revoke", path(&key.key.id));
        world.faults.once(Call::Commit, Fault::FailAfter);
        let refused = world.ask(&ADA, "POST", &revoke).await;
        refused.refuses(503, "outcome_unknown");
        // It was made, and is heeded as one that others make.
        let heeded = async {
            while world.accepts(&key.secret).await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, heeded).await.unwrap();
        world.ask(&ADA, "POST", &revoke).await.is(204);
    }
}

/// The store goes away once the change is made: the answer needs nothing more of it.
#[tokio::test]
async fn a_change_that_was_made_is_not_denied() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada").tags(["t"])).await.key;
        let gate = world.faults.hold(Call::Commit);
        let (at, body) = (path(&key.id), json!({"name": "other"}));
        let change = world.tell(&ADA, "PATCH", &at, body);
        let away = async {
            gate.reached(1).await;
            world.faults.always(Call::Find, Fault::Fail);
            gate.open();
        };
        let (answer, ()) = tokio::join!(change, away);
        let answer = answer.is(200);
        assert_eq!(answer.text_of("name"), "other");
        world.faults.heal(Call::Find);
        let shown = world.ask(&ADA, "GET", &at).await.is(200);
        assert_eq!(answer.json, shown.json);
    }
}

/// Every route says that it cannot, and none says that a key is not there.
#[tokio::test]
async fn nothing_is_told_of_a_store_that_cannot_answer() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await.key;
        let at = path(&key.id);
        for call in [
            Call::Find,
            Call::List,
            Call::Audit,
            Call::Standing,
            Call::Commit,
        ] {
            world.faults.always(call, Fault::Fail);
        }
        for (method, at) in [
            ("GET", "/api-keys".to_owned()),
            ("GET", at.clone()),
            ("DELETE", at.clone()),
            ("GET", format!("{at}/events")),
            ("POST", format!("{at}/rotate")),
            ("DELETE", format!("{at}/rotation")),
            ("POST", format!("{at}/suspend")),
            ("POST", format!("{at}/resume")),
            ("GET", "/api-keys/reports/unused".to_owned()),
            ("GET", "/api-keys/reports/expiring".to_owned()),
        ] {
            let refused = world.ask(&ADA, method, &at).await;
            refused.refuses(503, "unavailable");
        }
        for (method, at, body) in [
            ("POST", "/api-keys", json!({"name": "x"})),
            ("PATCH", at.as_str(), json!({"name": "x"})),
            ("POST", "/api-keys/revoke", json!({"tag": "x"})),
        ] {
            let refused = world.tell(&ADA, method, at, body).await;
            refused.refuses(503, "unavailable");
        }
        for call in [
            Call::Find,
            Call::List,
            Call::Audit,
            Call::Standing,
            Call::Commit,
        ] {
            world.faults.heal(call);
        }
        assert_eq!(world.kept(&key.id).await.record, key);
    }
}

#[tokio::test]
async fn verify_says_when_it_cannot() {
    for world in worlds().await {
        let secret = world.issue(new("a", "ada")).await.secret;
        world.faults.always(Call::Load, Fault::Fail);
        let body = json!({"key": secret.expose()});
        let answer = world.tell(&ADA, "POST", "/api-keys/verify", body).await;
        answer.refuses(503, "unavailable");
    }
}

/// The client goes away while the revocation has not even begun to be written.
#[tokio::test]
async fn revoke_client_disconnect() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        assert!(world.accepts(&key.secret).await);
        let revoke = format!("POST {}/revoke HTTP/1.1", path(&key.key.id));
        leave(&world, Call::Find, &revoke, "").await;
        let heeded = async {
            while world.accepts(&key.secret).await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, heeded).await.unwrap();
    }
}

/// Nor does a revocation of many end with those of the first change.
#[tokio::test]
async fn revoke_all_client_disconnect() {
    for world in worlds().await {
        for _ in 0..5 {
            world.issue(new("a", "ada").tags(["leaked"])).await;
        }
        let body = r#"{"tag": "leaked"}"#;
        leave(&world, Call::List, "POST /api-keys/revoke HTTP/1.1", body).await;
        let filter = KeyFilter::listed().tag("leaked");
        let done = async {
            while world.keys.count(filter.clone()).await.unwrap() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, done).await.unwrap();
    }
}

/// What only counts is not worth going on with.
#[tokio::test]
async fn dry_run_client_disconnect() {
    for world in worlds().await {
        world.issue(new("a", "ada").tags(["leaked"])).await;
        let gate = world.faults.hold(Call::List);
        let body = json!({"tag": "leaked", "dryRun": true});
        tokio::select! {
            _ = world.tell(&ADA, "POST", "/api-keys/revoke", body) => unreachable!("it is held"),
            () = gate.reached(1) => {}
        }
        // It is gone with its client, though the store has not answered it.
        assert_eq!(world.faults.running(Call::List), 0);
        gate.open();
    }
}

/// Sends a request over a socket, and resets the connection once its first call of that method has done
/// its work.
async fn leave(world: &crate::world::World, call: Call, line: &str, body: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = world.app.clone();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let gate = world.faults.hold(call);
    let mut client = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{line}\r\nhost: localhost\r\ndemo-user: ada:admin@a\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    gate.reached(1).await;
    client.set_zero_linger().unwrap();
    drop(client);
    // Long enough for the server to drop what it was doing for the client.
    sleep(Duration::from_millis(100)).await;
    gate.open();
    server.abort();
}

/// Whoever asks is asked for first: a store that is away makes no one else's answer of it.
#[tokio::test]
async fn nobody_is_told_who_they_are_not() {
    for world in worlds().await {
        world.faults.always(Call::List, Fault::Fail);
        let answer = world.ask(&Who::Nobody, "GET", "/api-keys?limit=0").await;
        assert_eq!(answer.is(401).text, "sign in");
    }
}

const SOON: Duration = Duration::from_secs(20);

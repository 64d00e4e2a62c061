//! Nodes that were stopped, machines that were suspended, and clocks that were set.

use std::path::Path;
use std::time::Duration;

use keyward_core::Issued;
use keyward_store::{Clock, ManualClock};
use keyward_testkit::{Call, Fault};
use keyward_tests::cluster::{Client, Node, Settings};
use keyward_throwaway::Database;
use tokio::time::sleep;

use crate::support::{FORMATS, Service, patient};

/// The very first requests that a process answers after it was stopped for longer than a lease are
/// answered by the store. They wait in its sockets when it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn node_paused() {
    let database = Database::fresh().await.unwrap();
    let here = process("here", &database).await;
    let paused = process("paused", &database).await;
    let mut admin = here.client();
    let issued = admin.ask("POST", "/keys?many=20", "").await.unwrap();
    let issued = issued.body["issued"].as_array().unwrap().clone();
    let mut clients = Vec::new();
    for key in &issued {
        let (id, key) = (key[0].as_str().unwrap(), key[1].as_str().unwrap());
        let mut client = paused.client();
        assert_eq!(client.whoami(key).await.unwrap().status, 200);
        clients.push((id.to_owned(), key.to_owned(), client));
    }

    paused.freeze().unwrap();
    let mut waiting = Vec::new();
    for (n, (id, key, mut client)) in clients.into_iter().enumerate() {
        let is_revoked = n % 2 == 0;
        if is_revoked {
            revoke(&mut admin, &id).await;
        }
        let asked = tokio::spawn(async move { client.whoami(&key).await });
        waiting.push((is_revoked, asked));
    }
    sleep(LEASE + Duration::from_secs(1)).await;
    paused.thaw().unwrap();
    for (is_revoked, asked) in waiting {
        let status = asked.await.unwrap().unwrap().status;
        assert_eq!(status, if is_revoked { 401 } else { 200 });
    }
}

async fn process(name: &str, database: &Database) -> Node {
    let program = Path::new(env!("CARGO_BIN_EXE_node"));
    let settings = Settings {
        name,
        database: database.url(),
        hints: true,
    };
    Node::start(program, &settings).await.unwrap()
}

async fn revoke(admin: &mut Client, id: &str) {
    let answer = admin.ask("DELETE", &format!("/keys/{id}"), "").await;
    assert_eq!(answer.unwrap().status, 200);
}

/// The default of `Builder`.
const LEASE: Duration = Duration::from_secs(5);

/// Time during which a machine was suspended counts: the lease is over when it goes on, and the
/// store is asked.
#[tokio::test(flavor = "multi_thread")]
async fn vm_suspended() {
    let site = Site::start().await;
    let [revoked, good] = [site.known().await, site.known().await];

    // From here on nothing happens on this node.
    for call in [Call::Changes, Call::Hint, Call::Beat, Call::Load] {
        site.service.faults.always(call, Fault::Hang);
    }
    site.sql(&revoked, "revoked_at = now()").await;
    assert_eq!(
        site.service.status(&revoked.secret).await,
        200,
        "a moment before"
    );
    site.hand.advance(Duration::from_secs(3_600));
    site.service.is_unavailable_for(&good.secret).await;
    site.service.is_unavailable_for(&revoked.secret).await;

    let loads = site.service.loads();
    for call in [Call::Changes, Call::Hint, Call::Beat, Call::Load] {
        site.service.faults.heal(call);
    }
    assert_eq!(site.service.status(&revoked.secret).await, 401);
    assert_eq!(site.service.status(&good.secret).await, 200);
    // News of what has changed vouch for the good one, if they came before its request.
    assert!(site.service.loads() > loads, "the revoked one is looked up");
}

/// A node whose time of day is a day off believes for as long as any other, and keys expire by the
/// clock of the database.
#[tokio::test(flavor = "multi_thread")]
async fn wall_clock_jump() {
    let site = Site::start().await;
    let known = site.known().await;
    let start = site.hand.wall();
    for jumped in [start + DAY, start - DAY] {
        let [hour, soon, over] = [site.issue().await, site.issue().await, site.issue().await];
        site.sql(&hour, "expires_at = clock_timestamp() + interval '1 h'")
            .await;
        site.sql(&soon, "expires_at = clock_timestamp() + interval '30 s'")
            .await;
        site.sql(&over, "expires_at = clock_timestamp() - interval '1 s'")
            .await;
        let (lease, loads) = (site.service.keys.health().lease_left, site.service.loads());
        site.hand.set_wall(jumped);
        assert_eq!(site.service.keys.health().lease_left, lease);
        assert_eq!(site.service.status(&known.secret).await, 200);
        assert_eq!(site.service.loads(), loads, "a hit");

        assert_eq!(site.service.status(&hour.secret).await, 200);
        assert_eq!(site.service.status(&soon.secret).await, 200);
        assert_eq!(site.service.status(&over.secret).await, 401);
        let loads = site.service.loads();
        site.hand.advance(Duration::from_secs(31));
        assert_eq!(site.service.status(&soon.secret).await, 401);
        assert_eq!(site.service.loads(), loads, "what is cached expires");
        site.hand.set_wall(start);
    }

    for call in [Call::Changes, Call::Beat, Call::Load] {
        site.service.faults.always(call, Fault::Fail);
    }
    assert_eq!(site.service.status(&known.secret).await, 200);
    site.hand.set_wall(start - DAY);
    site.hand.advance(TRUST);
    site.service.is_unavailable_for(&known.secret).await;
}

/// Far longer than what passes on the clock of a node before its lease is meant to end. Beats and polls
/// go by the real time, in which hardly any is due.
const TRUST: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A node whose clocks are moved by hand. Those of the database go on.
struct Site {
    service: Service,
    hand: ManualClock,
    database: Database,
}

impl Site {
    async fn start() -> Self {
        let database = Database::fresh().await.unwrap();
        let (clock, hand) = Clock::manual();
        let set = |setup| patient(setup).lease(TRUST).clock(clock);
        Self {
            service: Service::start(database.url(), set).await,
            hand,
            database,
        }
    }

    async fn issue(&self) -> Issued {
        self.service.issue(FORMATS[0]).await
    }

    async fn known(&self) -> Issued {
        self.service.known(FORMATS[0]).await
    }

    /// What an operator types into psql.
    async fn sql(&self, key: &Issued, set: &str) {
        let sql = format!("UPDATE keyward.keys SET {set} WHERE id = '{}'", key.key.id);
        assert_eq!(self.database.execute(&sql).await.unwrap(), 1);
    }
}

//! What is told of a database, and that it is the truth.

use std::time::Duration;

use keyward_postgres::{Diagnosis, Fires, Way};
use keyward_throwaway::{Database, PgBouncer, PoolMode, Server};

use crate::support::{Node, Site, connect, new_key, seldom};

async fn diagnosis(url: &str) -> Diagnosis {
    connect(url).diagnose().await.unwrap()
}

#[tokio::test]
async fn a_healthy_database_is_told_so() {
    let site = Site::fresh().await;
    let node = site.node().await;
    site.issue(&node, new_key()).await;
    let found = diagnosis(site.database.url()).await;
    assert!(!found.standby);
    assert_eq!(found.unfit_settings, Vec::<String>::new());
    assert_eq!(
        (found.pool, found.direct.unwrap()),
        (Way::Direct, Way::Direct)
    );
    assert!(found.notification.unwrap() < Duration::from_secs(5));
    assert_eq!(found.schema, found.schema_needed);
    assert_eq!(found.triggers.len(), 8);
    assert!(
        found
            .triggers
            .iter()
            .all(|trigger| trigger.fires == Fires::Always)
    );
    let log = found.log.unwrap();
    assert_eq!((log.number, log.kept), (1, 2));
    // Both clocks are this machine's.
    let clock = found.clock;
    assert!(
        clock.difference <= clock.uncertainty + Duration::from_millis(50),
        "{clock:?}"
    );
    let [node] = &found.nodes[..] else {
        panic!("{:?}", found.nodes);
    };
    assert_eq!(node.lease, Duration::from_secs(60));
    assert!(node.seen < Duration::from_secs(10));
    assert!(found.standbys.is_empty());
}

#[tokio::test]
async fn a_database_without_schema_is_told_so() {
    let database = Database::fresh().await.unwrap();
    let found = diagnosis(database.url()).await;
    assert_eq!(found.schema, 0);
    assert!(found.triggers.is_empty() && found.log.is_none() && found.nodes.is_empty());
    let store = connect(database.url());
    let needed = found.schema_needed;
    assert_eq!(store.schema_version().await.unwrap(), (0, needed));
    store.migrate().await.unwrap();
    assert_eq!(store.schema_version().await.unwrap(), (needed, needed));
}

#[tokio::test]
async fn each_trigger_is_told_of() {
    let site = Site::fresh().await;
    for sql in [
        "ALTER TABLE keyward.keys DISABLE TRIGGER keyward_changed",
        "ALTER TABLE keyward.tenants ENABLE TRIGGER keyward_truncated",
        "ALTER TABLE keyward.owners ENABLE REPLICA TRIGGER keyward_changed",
        "DROP TRIGGER keyward_truncated ON keyward.events",
    ] {
        site.sql(sql).await;
    }
    let found = diagnosis(site.database.url()).await.triggers;
    let fires = |table: &str, name: &str| {
        let mut triggers = found.iter();
        let trigger = triggers.find(|trigger| trigger.table == table && trigger.name == name);
        trigger.unwrap().fires
    };
    assert_eq!(fires("keys", "keyward_changed"), Fires::Never);
    assert_eq!(fires("tenants", "keyward_truncated"), Fires::Sometimes);
    assert_eq!(fires("owners", "keyward_changed"), Fires::Sometimes);
    assert_eq!(fires("events", "keyward_truncated"), Fires::Missing);
    assert_eq!(fires("keys", "keyward_truncated"), Fires::Always);
}

#[tokio::test]
async fn a_node_that_lags_behind_is_told_of() {
    let site = Site::fresh().await;
    let node = site.node().await;
    site.issue(&node, new_key()).await;
    site.sql(
        "INSERT INTO keyward.nodes (id, name, lease_ms, beat, first_beat, history, number, seen_at) \
         SELECT gen_random_uuid(), 'a-laggard', 5000, 1, 1, history, 0, now() - interval '1 hour' \
         FROM keyward.nodes LIMIT 1",
    )
    .await;
    let nodes = diagnosis(site.database.url()).await.nodes;
    let laggard = nodes.iter().find(|node| node.name == "a-laggard").unwrap();
    assert_eq!(laggard.behind, Some(1));
    assert!(laggard.seen >= Duration::from_secs(3_600));
}

#[tokio::test]
async fn settings_that_cannot_be_are_told() {
    let database = Database::fresh().await.unwrap();
    let url = database.url();
    let name = url.rsplit('/').next().unwrap();
    let name = name.split('?').next().unwrap();
    let set =
        format!("ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'");
    database.execute(&set).await.unwrap();
    let found = diagnosis(url).await.unfit_settings;
    assert_eq!(found, ["default_transaction_isolation = repeatable read"]);
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error() {
    let store = connect("postgres://nobody@127.0.0.1:1/nothing");
    assert!(store.diagnose().await.is_err());
    assert!(store.schema_version().await.is_err());
}

/// Also where one client's statements are answered with the rows of another's.
#[tokio::test]
async fn a_pooler_that_mixes_answers_up_is_found_through_itself() {
    let server = Server::start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    let set = [("default_pool_size", "2")];
    let bouncer = PgBouncer::start(&server, PoolMode::Transaction, &set)
        .await
        .unwrap();
    let found = diagnosis(&bouncer.url()).await;
    assert_eq!(found.pool, Way::Unsafe);
    assert_ne!(found.direct.unwrap(), Way::Direct);
    assert_eq!(found.schema, found.schema_needed);
    let direct = connect(&bouncer.url()).direct(&server.url()).unwrap();
    let found = direct.diagnose().await.unwrap();
    assert_eq!(
        (found.pool, found.direct.unwrap()),
        (Way::Unsafe, Way::Direct)
    );
    assert!(found.notification.is_ok());
}

#[tokio::test]
async fn a_standby_is_told_of_on_both_sides() {
    let server = Server::start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    let standby = server.standby(None).await.unwrap();
    let node = Node::start(connect(&server.url()), seldom).await;
    node.keys.issue(new_key()).await.unwrap();
    let found = diagnosis(&server.url()).await;
    assert_eq!(found.standbys.len(), 1);
    assert_eq!(found.standbys[0].state, "streaming");
    let found = diagnosis(&standby.url()).await;
    assert!(found.standby);
    assert!(found.notification.is_err(), "a standby cannot notify");
}

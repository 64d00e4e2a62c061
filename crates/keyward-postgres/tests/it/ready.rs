//! What must be right before a service starts, and how it is told what is not.

use keyward_core::{Keyward, StartError};
use keyward_postgres::PostgresStore;
use keyward_store::{Cursor, KeyStore};
use keyward_throwaway::Database;
use sqlx::PgPool;

use crate::support::{Answer, FORMATS, LEASE, Node, Site, connect, format, new_key, often, told};

#[tokio::test]
async fn a_migrated_database_is_ready() {
    Site::fresh().await.store().ready().await.unwrap();
}

#[tokio::test]
async fn a_database_without_schema_is_told_how_to_get_one() {
    let database = Database::fresh().await.unwrap();
    refused(
        &connect(database.url()),
        "there is no schema yet: call PostgresStore::migrate",
    )
    .await;
}

#[tokio::test]
async fn an_older_schema_is_told_so() {
    let site = Site::fresh().await;
    site.sql("DELETE FROM keyward.migrations WHERE version = 2")
        .await;
    refused(&site.store(), "the schema is at version 1 and must be at 2").await;
}

/// What a later version of this crate has added does no harm.
#[tokio::test]
async fn a_newer_schema_is_ready() {
    let site = Site::fresh().await;
    site.sql("INSERT INTO keyward.migrations VALUES (3)").await;
    site.store().ready().await.unwrap();
}

#[tokio::test]
async fn a_trigger_that_is_not_always_fired_is_told() {
    let site = Site::fresh().await;
    for table in ["keys", "tenants", "owners"] {
        for trigger in ["keyward_changed", "keyward_truncated"] {
            let alter = |how| format!("ALTER TABLE keyward.{table} {how} TRIGGER {trigger}");
            for how in ["DISABLE", "ENABLE", "ENABLE REPLICA"] {
                site.sql(&alter(how)).await;
                refused(&site.store(), "a trigger that tells of changes is missing").await;
            }
            site.sql(&alter("ENABLE ALWAYS")).await;
        }
    }
    site.store().ready().await.unwrap();
}

#[tokio::test]
async fn a_dropped_trigger_is_told() {
    let site = Site::fresh().await;
    site.sql("DROP TRIGGER keyward_truncated ON keyward.keys")
        .await;
    refused(&site.store(), "a trigger that tells of changes is missing").await;
}

#[tokio::test]
async fn a_default_of_read_only_transactions_is_told() {
    let site = with_default("default_transaction_read_only", "on").await;
    refused(&site.store(), "default_transaction_read_only must be off").await;
}

#[tokio::test]
async fn a_default_of_frozen_snapshots_is_told() {
    for level in ["repeatable read", "serializable"] {
        let site = with_default("default_transaction_isolation", level).await;
        refused(
            &site.store(),
            "default_transaction_isolation must be \"read committed\"",
        )
        .await;
    }
}

/// The address of the news may have other settings than that of the pool.
#[tokio::test]
async fn the_direct_address_is_looked_at_too() {
    let site = Site::fresh().await;
    let url = site.database.url();
    let frozen = "?options=-c%20default_transaction_isolation%3Dserializable";
    let store = connect(url).direct(&format!("{url}{frozen}")).unwrap();
    refused(
        &store,
        "default_transaction_isolation must be \"read committed\"",
    )
    .await;
}

/// A poll with a frozen snapshot would renew the lease for ever: it is refused, and with it whoever
/// comes to poll like that later on.
#[tokio::test]
async fn polls_with_a_frozen_snapshot_are_refused() {
    let site = with_default("default_transaction_isolation", "repeatable read").await;
    let error = site.store().changes(&Cursor::origin()).await.unwrap_err();
    let told = told(&error);
    assert!(
        told.contains("a poll inside of a longer transaction"),
        "{told}"
    );
}

#[tokio::test]
async fn a_node_whose_polls_freeze_later_on_answers_503() {
    let site = Site::fresh().await;
    let node = Node::start(site.store(), often).await;
    let issued = site.issue(&node, new_key()).await;
    assert!(node.accepts(&issued.secret).await);
    freeze(&site, "default_transaction_isolation", "serializable").await;
    // Only new connections have the new default.
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    site.sql(others).await;
    tokio::time::sleep(LEASE).await;
    // Loads go on, and each is believed for its own age: what is not is that nothing has changed.
    let error = site.store().changes(&Cursor::origin()).await.unwrap_err();
    assert!(told(&error).contains("a poll inside"), "{error:?}");
    let sql = "BEGIN ISOLATION LEVEL READ COMMITTED; \
        UPDATE keyward.keys SET revoked_at = now(); COMMIT";
    site.sql(sql).await;
    tokio::time::sleep(LEASE).await;
    assert_ne!(node.answer(&issued.secret).await, Answer::Accepted);
}

#[tokio::test]
async fn what_is_no_address_is_told_without_quoting_it() {
    let secret = "hunter2-hunter2";
    for url in [
        format!("mysql://keyward:{secret}@db/keyward"),
        format!("postgres://keyward:{secret}@db:port/keyward"),
        secret.to_owned(),
    ] {
        let error = PostgresStore::connect(&url).unwrap_err();
        let told = told(&error);
        assert!(
            told.contains("this is no address of a Postgres database"),
            "{told}"
        );
        assert!(!told.contains(secret), "{told}");
    }
}

async fn with_default(setting: &str, value: &str) -> Site {
    let site = Site::fresh().await;
    freeze(&site, setting, value).await;
    site
}

async fn freeze(site: &Site, setting: &str, value: &str) {
    let pool = PgPool::connect_lazy(site.database.url()).unwrap();
    let name = pool.connect_options().get_database().unwrap().to_owned();
    let sql = format!("ALTER DATABASE {name} SET {setting} = '{value}'");
    site.sql(&sql).await;
}

/// The store says so, and no service starts.
pub(crate) async fn refused(store: &PostgresStore, why: &str) {
    let error = store.ready().await.unwrap_err();
    let told = told(&error);
    assert!(told.contains(why), "{told}");
    let builder = Keyward::builder(store.clone()).format(format(FORMATS[0]));
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, StartError::NotReady(_)), "{error:?}");
    let told = crate::support::told(&error);
    assert!(told.contains(why), "{told}");
}

//! Changes that nobody made through the API.

use std::time::Duration;

use keyward_core::Reason;
use keyward_store::{Cursor, Feed, KeyStore};
use keyward_testkit::{Call, Fault, FaultStore};

use crate::support::{Answer, Node, REVOKED, SOON, Site, new_key, quoted, run, seldom};
use crate::world::World;

#[tokio::test]
async fn a_key_that_is_revoked_in_psql_is_refused() {
    heeded(&[], REVOKE, REVOKED).await;
}

#[tokio::test]
async fn a_key_that_is_suspended_in_psql_is_refused() {
    let sql = "UPDATE keyward.keys SET suspended_at = now() WHERE id = $id";
    heeded(&[], sql, Answer::Refused(Reason::Suspended)).await;
}

#[tokio::test]
async fn a_deleted_key_is_refused() {
    let sql = "DELETE FROM keyward.keys WHERE id = $id";
    heeded(&[], sql, Answer::Refused(Reason::Unknown)).await;
}

#[tokio::test]
async fn a_key_whose_expiry_is_moved_into_the_past_is_refused() {
    let sql = "UPDATE keyward.keys SET expires_at = now() WHERE id = $id";
    heeded(&[], sql, Answer::Refused(Reason::Expired)).await;
}

#[tokio::test]
async fn a_tenant_that_is_suspended_in_psql_is_locked_out() {
    let sql = "INSERT INTO keyward.tenants (id, suspended) VALUES ('acme', true)";
    heeded(&[], sql, Answer::Refused(Reason::TenantSuspended)).await;
}

#[tokio::test]
async fn an_owner_who_is_suspended_in_psql_is_locked_out() {
    let sql = "INSERT INTO keyward.owners (kind, id, suspended) VALUES ('user', '7', true)";
    heeded(&[], sql, Answer::Refused(Reason::OwnerSuspended)).await;
}

#[tokio::test]
async fn a_key_that_moves_to_a_suspended_tenant_is_refused() {
    let setup = "INSERT INTO keyward.tenants (id, suspended) VALUES ('barred', true)";
    let sql = "UPDATE keyward.keys SET tenant = 'barred' WHERE id = $id";
    heeded(&[setup], sql, Answer::Refused(Reason::TenantSuspended)).await;
}

#[tokio::test]
async fn a_row_that_arrives_by_replication_is_heeded() {
    heeded(&[REPLICATE], REVOKE, REVOKED).await;
}

#[tokio::test]
async fn a_tenant_that_arrives_by_replication_is_heeded() {
    let sql = "INSERT INTO keyward.tenants (id, suspended) VALUES ('acme', true)";
    heeded(&[REPLICATE], sql, Answer::Refused(Reason::TenantSuspended)).await;
}

#[tokio::test]
async fn an_owner_who_arrives_by_replication_is_heeded() {
    let sql = "INSERT INTO keyward.owners (kind, id, suspended) VALUES ('user', '7', true)";
    heeded(&[REPLICATE], sql, Answer::Refused(Reason::OwnerSuspended)).await;
}

#[tokio::test]
async fn truncated_keys_are_refused() {
    let sql = "TRUNCATE keyward.keys";
    heeded(&[], sql, Answer::Refused(Reason::Unknown)).await;
}

#[tokio::test]
async fn keys_that_are_truncated_by_replication_are_refused() {
    let sql = "TRUNCATE keyward.keys";
    heeded(&[REPLICATE], sql, Answer::Refused(Reason::Unknown)).await;
}

/// Whoever empties the log itself makes it begin anew: what nodes have read so far counts no more.
#[tokio::test]
async fn changes_around_a_truncated_log_are_heeded() {
    let cases: [(&str, &[&str]); 3] = [
        ("events", &[]),
        ("commits", &[REPLICATE]),
        ("commits, keyward.events", &[]),
    ];
    for (tables, setup) in cases {
        let world = World::start().await;
        let mut session = world.site.database.connect().await.unwrap();
        run(&mut session, setup).await;
        let [one, two] = world.keys.each_ref();
        let [before, after] = [one, two].map(|key| REVOKE.replace("$id", &quoted(&key.key.id)));
        let truncate = format!("TRUNCATE keyward.{tables}");
        run(&mut session, &["BEGIN", &before, &truncate, "COMMIT"]).await;
        for node in &world.nodes {
            node.comes_to(&one.secret, REVOKED, SOON).await;
            assert!(node.accepts(&two.secret).await);
        }
        run(&mut session, &[&after]).await;
        for node in &world.nodes {
            node.comes_to(&two.secret, REVOKED, SOON).await;
        }
    }
}

/// Somebody restores the log of yesterday, in which the numbers of today are free again.
#[tokio::test]
async fn a_log_that_was_set_back_is_another_history() {
    let world = World::start().await;
    let store = world.site.store();
    let cursor = async || {
        let changes = store.changes(&Cursor::origin()).await.unwrap();
        changes.cursor
    };
    let yesterday = cursor().await;
    let other = "INSERT INTO keyward.tenants (id) VALUES (gen_random_uuid())";
    for _ in 0..3 {
        world.site.sql(other).await;
    }
    let today = cursor().await;
    let number = yesterday.number();
    for table in ["commits", "events"] {
        let cut = format!("DELETE FROM keyward.{table} WHERE number > {number}");
        world.site.sql(&cut).await;
    }
    for key in &world.keys {
        let sql = REVOKE.replace("$id", &quoted(&key.key.id));
        world.site.sql(&sql).await;
    }
    world.site.sql(other).await;
    assert_eq!(cursor().await.number(), today.number());
    let changes = store.changes(&today).await.unwrap();
    assert!(matches!(changes.feed, Feed::HistoryChanged), "{changes:?}");
    for (node, key) in world.pairs() {
        node.comes_to(&key.secret, REVOKED, SOON).await;
    }
}

#[tokio::test]
async fn a_cascade_from_a_table_of_the_host_is_heeded() {
    let setup = [
        "CREATE TABLE customers (id text PRIMARY KEY)",
        "INSERT INTO customers VALUES ('acme')",
        "ALTER TABLE keyward.keys ADD FOREIGN KEY (tenant) \
            REFERENCES customers (id) ON DELETE CASCADE",
    ];
    let sql = "DELETE FROM customers";
    heeded(&setup, sql, Answer::Refused(Reason::Unknown)).await;
}

#[tokio::test]
async fn a_trigger_of_the_host_is_heeded() {
    let setup = [
        "CREATE TABLE people (id text PRIMARY KEY, employed boolean)",
        "INSERT INTO people VALUES ('7', true)",
        "CREATE FUNCTION dismiss() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN \
            UPDATE keyward.keys SET revoked_at = now() \
                WHERE owner_kind = 'user' AND owner_id = NEW.id AND NOT NEW.employed; \
            RETURN NEW; END $f$",
        "CREATE TRIGGER dismissed AFTER UPDATE ON people \
            FOR EACH ROW EXECUTE FUNCTION dismiss()",
    ];
    heeded(&setup, "UPDATE people SET employed = false", REVOKED).await;
}

/// The log is written by the triggers' owner: a clerk needs no right to it, and has none.
#[tokio::test]
async fn a_role_that_may_only_update_keys_is_heeded() {
    let role = format!("clerk_{}", std::process::id());
    let setup = [
        format!("CREATE ROLE {role}"),
        format!("GRANT USAGE ON SCHEMA keyward TO {role}"),
        format!("GRANT SELECT, UPDATE ON keyward.keys TO {role}"),
        format!("SET ROLE {role}"),
    ];
    let setup = setup.each_ref().map(String::as_str);
    let world = heeded(&setup, REVOKE, REVOKED).await;
    let leave = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    world.site.sql(&leave).await;
}

/// Who may write keys may add and delete them, and is numbered by the log; but takes no number without
/// a change.
#[tokio::test]
async fn a_role_that_may_only_write_keys_cannot_number_changes() {
    let role = format!("writer_{}", std::process::id());
    let site = Site::fresh().await;
    let store = site.store();
    let mut session = site.database.connect().await.unwrap();
    let setup = [
        format!("CREATE ROLE {role}"),
        format!("GRANT USAGE ON SCHEMA keyward TO {role}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON keyward.keys TO {role}"),
        format!("SET ROLE {role}"),
    ];
    run(&mut session, &setup.each_ref().map(String::as_str)).await;
    let number = async || {
        let changes = store.changes(&Cursor::origin()).await.unwrap();
        changes.cursor.number()
    };
    let before = number().await;
    let changes = [
        "INSERT INTO keyward.keys (id, tenant, name, prefix, hint, hash, digest, created_at, \
            revision) VALUES ('k', 't', 'n', 'p', 'h', 'sha256', sha256('k'), now(), 1)",
        "UPDATE keyward.keys SET revoked_at = now()",
        "DELETE FROM keyward.keys",
    ];
    run(&mut session, &changes).await;
    assert_eq!(number().await, before + 3);
    for sql in [
        "SELECT keyward.change_number()",
        "SELECT keyward.forget_changes(interval '0')",
        "SELECT keyward.forget_tokens(interval '0', 1)",
        "INSERT INTO keyward.commits (number) VALUES (1000)",
    ] {
        let refused = sqlx::raw_sql(sql).execute(&mut session).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap();
        assert_eq!(code, "42501", "{sql}");
    }
    assert_eq!(number().await, before + 3);
    let leave = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    site.sql(&leave).await;
}

/// A change that has been seen must not be lost in a crash, whatever the session does not wait for.
#[tokio::test]
async fn a_change_waits_for_the_disk_although_its_session_does_not() {
    let setup = [
        "SET synchronous_commit = off",
        "CREATE TABLE waited (setting text)",
        "BEGIN",
        "UPDATE keyward.keys SET revision = revision + 1",
        "SET CONSTRAINTS ALL IMMEDIATE",
        "INSERT INTO waited SELECT current_setting('synchronous_commit')",
        "COMMIT",
        "INSERT INTO waited SELECT current_setting('synchronous_commit')",
    ];
    let world = heeded(&setup, REVOKE, REVOKED).await;
    let mut session = world.site.database.connect().await.unwrap();
    let waited = sqlx::query_scalar("SELECT setting FROM waited");
    let waited: Vec<String> = waited.fetch_all(&mut session).await.unwrap();
    assert_eq!(waited, ["on", "off"]);
}

/// Without hints, too, at the next poll.
#[tokio::test]
async fn a_lost_notification_costs_a_poll_interval() {
    let interval = Duration::from_millis(200);
    let site = Site::fresh().await;
    let (store, faults) = FaultStore::new(site.store());
    faults.always(Call::Hint, Fault::Hang);
    let node = Node::start(store, |builder| seldom(builder).poll_interval(interval)).await;
    for _turn in 0..5 {
        let issued = site.issue(&node, new_key()).await;
        assert!(node.accepts(&issued.secret).await);
        let sql = REVOKE.replace("$id", &quoted(&issued.key.id));
        assert_eq!(site.sql(&sql).await, 1);
        node.comes_to(&issued.secret, REVOKED, interval + SOON)
            .await;
    }
}

/// Every node gives that answer soon after the statement was run, in which `$id` stands for a key.
async fn heeded(setup: &[&str], sql: &str, answer: Answer) -> World {
    let world = World::start().await;
    let mut session = world.site.database.connect().await.unwrap();
    run(&mut session, setup).await;
    let each = sql.contains("$id");
    if !each {
        run(&mut session, &[sql]).await;
    }
    for key in &world.keys {
        if each {
            let sql = sql.replace("$id", &quoted(&key.key.id));
            run(&mut session, &[&sql]).await;
        }
        for node in &world.nodes {
            node.comes_to(&key.secret, answer, SOON).await;
        }
    }
    world
}

const REVOKE: &str = "UPDATE keyward.keys SET revoked_at = now() WHERE id = $id";
pub(crate) const REPLICATE: &str = "SET session_replication_role = replica";

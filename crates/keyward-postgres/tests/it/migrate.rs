//! The schema, and how it gets there.

use std::str::FromStr;

use keyward_postgres::PostgresStore;
use keyward_store::KeyStore;
use keyward_throwaway::Database;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;

use crate::support::{Node, connect, new_key, seldom};

const FILES: [&str; 2] = [
    include_str!("../../migrations/0001_keyward.sql"),
    include_str!("../../migrations/0002_lifecycle.sql"),
];

#[tokio::test(flavor = "multi_thread")]
async fn six_replicas_that_start_at_once_make_one_schema() {
    let database = Database::fresh().await.unwrap();
    let mut starting = JoinSet::new();
    for _ in 0..6 {
        let store = connect(database.url());
        starting.spawn(async move {
            store.migrate().await.unwrap();
            store.ready().await.unwrap();
            Node::start(store, seldom).await
        });
    }
    for node in starting.join_all().await {
        let issued = node.keys.issue(new_key()).await.unwrap();
        assert!(node.accepts(&issued.secret).await);
    }
    assert_eq!(files(&database).await, [1, 2]);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = Database::fresh().await.unwrap();
    let store = connect(database.url());
    store.migrate().await.unwrap();
    let node = Node::start(store.clone(), seldom).await;
    let issued = node.keys.issue(new_key()).await.unwrap();
    store.migrate().await.unwrap();
    connect(database.url()).migrate().await.unwrap();
    assert!(node.accepts(&issued.secret).await);
    assert_eq!(files(&database).await, [1, 2]);
}

#[tokio::test]
async fn files_that_were_run_by_hand_count() {
    let database = Database::fresh().await.unwrap();
    // As `psql -1 -f` does.
    for file in FILES {
        let whole = format!("BEGIN; {file}; COMMIT");
        database.execute(&whole).await.unwrap();
    }
    let store = connect(database.url());
    store.ready().await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(files(&database).await, [1, 2]);
}

#[tokio::test]
async fn a_role_without_rights_is_told_and_changes_nothing() {
    let database = Database::fresh().await.unwrap();
    let role = Role::on(&database).await;
    let error = role.store().migrate().await.unwrap_err();
    let told = crate::support::told(&error);
    assert!(
        told.contains("42501") && told.contains("permission denied"),
        "{told}"
    );
    assert_eq!(schemas(&database).await, 0);
    connect(database.url()).migrate().await.unwrap();
    role.leave().await;
}

/// A file fails half-way: nothing of it stays.
#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let database = Database::fresh().await.unwrap();
    let veto = "CREATE FUNCTION veto() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN \
            IF to_regclass('keyward.nodes') IS NOT NULL THEN RAISE 'no more tables'; END IF; \
        END $f$; \
        CREATE EVENT TRIGGER veto ON ddl_command_end EXECUTE FUNCTION veto()";
    database.execute(veto).await.unwrap();
    let store = connect(database.url());
    let error = store.migrate().await.unwrap_err();
    assert!(crate::support::told(&error).contains("no more tables"));
    assert_eq!(schemas(&database).await, 0);
    database.execute("DROP EVENT TRIGGER veto").await.unwrap();
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
}

/// What the documentation says a role needs is enough for everything.
#[tokio::test]
async fn the_rights_that_are_asked_for_are_enough() {
    let database = Database::fresh().await.unwrap();
    connect(database.url()).migrate().await.unwrap();
    let role = Role::on(&database).await;
    let name = &role.name;
    let grant = format!(
        "GRANT USAGE ON SCHEMA keyward TO {name}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA keyward TO {name}; \
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA keyward TO {name}"
    );
    database.execute(&grant).await.unwrap();
    let store = role.store();
    store.ready().await.unwrap();
    store.migrate().await.unwrap();
    let node = Node::start(store, seldom).await;
    let issued = node.keys.issue(new_key()).await.unwrap();
    assert!(node.accepts(&issued.secret).await);
    node.keys.tenant("acme").suspend().await.unwrap();
    node.keys.revoke(&issued.key.id).await.unwrap();
    assert!(!node.accepts(&issued.secret).await);
    node.keys.shutdown().await;
    let found = node.keys.get(&issued.key.id).await.unwrap().unwrap();
    assert!(found.last_used_at.is_some());
    drop(node);
    role.leave().await;
}

/// A role that may connect, and nothing else.
struct Role<'a> {
    name: String,
    database: &'a Database,
}

impl<'a> Role<'a> {
    async fn on(database: &'a Database) -> Self {
        let name = format!("keyward_clerk_{}", std::process::id());
        let create = format!("CREATE ROLE {name} LOGIN PASSWORD 'clerk'");
        database.execute(&create).await.unwrap();
        Self { name, database }
    }

    fn store(&self) -> PostgresStore {
        let options = PgConnectOptions::from_str(self.database.url()).unwrap();
        let options = options.username(&self.name).password("clerk");
        PostgresStore::new(PgPoolOptions::new().connect_lazy_with(options))
    }

    async fn leave(self) {
        let name = &self.name;
        let drop = format!("DROP OWNED BY {name}; DROP ROLE {name}");
        self.database.execute(&drop).await.unwrap();
    }
}

async fn files(database: &Database) -> Vec<i32> {
    let mut session = database.connect().await.unwrap();
    let files = sqlx::query_scalar("SELECT version FROM keyward.migrations ORDER BY version");
    files.fetch_all(&mut session).await.unwrap()
}

async fn schemas(database: &Database) -> i64 {
    let mut session = database.connect().await.unwrap();
    let count = "SELECT count(*) FROM pg_namespace WHERE nspname = 'keyward'";
    sqlx::query_scalar(count)
        .fetch_one(&mut session)
        .await
        .unwrap()
}

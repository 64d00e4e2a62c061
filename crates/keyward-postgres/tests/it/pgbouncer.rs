//! A pooler stands between the store and the server.

use keyward_postgres::PostgresStore;
use keyward_store::KeyStore;
use keyward_throwaway::{PgBouncer, PoolMode, Server};
use tokio::task::JoinSet;

use crate::ready::refused;
use crate::support::{Answer, Node, REVOKED, SOON, connect, new_key, seldom};

/// Debian's 1.18 knows nothing of prepared statements: one client's would be answered with the rows of
/// another's.
#[tokio::test]
async fn a_pool_behind_transaction_pooling_is_refused() {
    let server = server().await;
    for size in ["1", "2", "20"] {
        let bouncer = bouncer(&server, PoolMode::Transaction, size).await;
        let store = connect(&bouncer.url()).direct(&server.url()).unwrap();
        let why = "PgBouncer must be 1.21 or newer with max_prepared_statements above 0";
        refused(&store, why).await;
    }
}

#[tokio::test]
async fn a_pool_behind_statement_pooling_is_refused() {
    let server = server().await;
    let bouncer = bouncer(&server, PoolMode::Statement, "20").await;
    let store = connect(&bouncer.url()).direct(&server.url()).unwrap();
    assert!(store.ready().await.is_err());
}

/// LISTEN does not work there, and the probe says whose address is wrong.
#[tokio::test]
async fn news_behind_transaction_pooling_are_refused() {
    let server = server().await;
    for size in ["1", "20"] {
        let bouncer = bouncer(&server, PoolMode::Transaction, size).await;
        let store = connect(&server.url()).direct(&bouncer.url()).unwrap();
        refused(
            &store,
            "give the store a direct address with PostgresStore::direct",
        )
        .await;
    }
}

/// Whatever others do beside the probe, and have left behind on the servers: statements of the same
/// name, of its own kind among them.
#[tokio::test(flavor = "multi_thread")]
async fn other_clients_do_not_hide_the_pooler() {
    let server = server().await;
    let bouncer = bouncer(&server, PoolMode::Transaction, "8").await;
    let mut noise = JoinSet::new();
    for turn in 0..4 {
        let pool = sqlx::PgPool::connect_lazy(&bouncer.url()).unwrap();
        noise.spawn(async move {
            for _ in 0.. {
                let busy = match turn {
                    0 => sqlx::raw_sql("SELECT pg_sleep(0.002)").execute(&pool).await,
                    // They trip over each other's statements, as they would in earnest.
                    1 => {
                        sqlx::query("SELECT 1, 2 WHERE $1")
                            .bind(true)
                            .execute(&pool)
                            .await
                    }
                    2 => sqlx::query("SELECT 1 WHERE false").execute(&pool).await,
                    _ => {
                        sqlx::raw_sql("BEGIN; SELECT 1; COMMIT")
                            .execute(&pool)
                            .await
                    }
                };
                drop(busy);
            }
        });
    }
    for _ in 0..10 {
        let pool = connect(&bouncer.url()).direct(&server.url()).unwrap();
        let news = connect(&server.url()).direct(&bouncer.url()).unwrap();
        let (pool, news) = tokio::join!(pool.ready(), news.ready());
        assert!(pool.is_err() && news.is_err());
    }
}

#[tokio::test]
async fn session_pooling_is_as_good_as_none() {
    let server = server().await;
    let bouncer = bouncer(&server, PoolMode::Session, "40").await;
    let store: PostgresStore = connect(&bouncer.url());
    store.ready().await.unwrap();
    let here = Node::start(store, seldom).await;
    let there = Node::start(connect(&bouncer.url()), seldom).await;
    let issued = here.keys.issue(new_key()).await.unwrap();
    there.comes_to(&issued.secret, Answer::Accepted, SOON).await;
    here.keys.revoke(&issued.key.id).await.unwrap();
    there.comes_to(&issued.secret, REVOKED, SOON).await;
}

async fn server() -> Server {
    let server = Server::builder().setting("fsync", "off");
    let server = server.start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    server
}

async fn bouncer(server: &Server, mode: PoolMode, size: &str) -> PgBouncer {
    let settings = [("default_pool_size", size)];
    PgBouncer::start(server, mode, &settings).await.unwrap()
}

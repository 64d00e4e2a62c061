use keyward_throwaway::{PgBouncer, PoolMode, Server};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn transactions_of_two_clients_share_one_connection_to_the_server() {
    let server = Server::start().await.unwrap();
    let settings = [("default_pool_size", "1")];
    let bouncer = PgBouncer::start(&server, PoolMode::Transaction, &settings)
        .await
        .unwrap();
    let mut backends = Vec::new();
    for _ in 0..2 {
        let mut client = PgConnection::connect(&bouncer.url()).await.unwrap();
        backends.push(backend(&mut client).await);
    }
    assert_eq!(backends[0], backends[1], "{}", bouncer.log());
}

async fn backend(client: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .persistent(false)
        .fetch_one(client)
        .await
        .unwrap()
}

use keyward_throwaway::Database;
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn fresh_databases_are_empty_and_apart() {
    let one = Database::fresh().await.unwrap();
    let two = Database::fresh().await.unwrap();
    assert_eq!(one.address(), two.address());
    one.execute("CREATE TABLE t (id int)").await.unwrap();
    one.execute("INSERT INTO t VALUES (1)").await.unwrap();
    two.execute("CREATE TABLE t (id int)").await.unwrap();
    assert_eq!(two.execute("DELETE FROM t").await.unwrap(), 0);
    assert_eq!(one.execute("DELETE FROM t").await.unwrap(), 1);
}

#[tokio::test]
async fn a_dropped_database_is_gone_even_with_a_connection_open() {
    let kept = Database::fresh().await.unwrap();
    let dropped = Database::fresh().await.unwrap();
    let url = dropped.url().to_owned();
    let mut open = dropped.connect().await.unwrap();
    drop(dropped);
    assert!(open.ping().await.is_err());
    let error = PgConnection::connect(&url).await.unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
    assert!(kept.connect().await.is_ok());
}

#[tokio::test]
async fn a_statement_that_is_refused_fails_with_its_text_and_the_reason() {
    let database = Database::fresh().await.unwrap();
    let error = database.execute("SELECT nonsense").await.unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.contains("SELECT nonsense"), "{shown}");
    assert!(
        shown.contains("column \"nonsense\" does not exist"),
        "{shown}"
    );
}

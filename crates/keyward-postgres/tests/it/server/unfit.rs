//! What the store refuses to work with, and needs a server of its own to be shown.

use keyward_store::{Cursor, KeyStore};
use keyward_throwaway::Server;
use sqlx::raw_sql;

use super::{follows, issue, primary};
use crate::ready::refused;
use crate::support::{Node, REVOKED, SOON, connect, quoted, run, seldom, told};

#[tokio::test]
async fn a_standby_is_refused() {
    let primary = primary().await;
    let standby = primary.standby(None).await.unwrap();
    follows(&standby, &primary).await;
    let why = "this is a standby: keys are kept by the primary";
    refused(&connect(&standby.url()), why).await;
    let direct = connect(&primary.url()).direct(&standby.url()).unwrap();
    refused(&direct, why).await;
}

/// It would be told what was true some time ago, for as long as the primary is away.
#[tokio::test]
async fn polls_of_a_standby_are_refused() {
    let primary = primary().await;
    let standby = primary.standby(None).await.unwrap();
    follows(&standby, &primary).await;
    let store = connect(&primary.url()).direct(&standby.url()).unwrap();
    let error = store.changes(&Cursor::origin()).await.unwrap_err();
    let told = told(&error);
    // Postgres says so first: nobody can LISTEN there.
    assert!(told.contains("during recovery"), "{told}");
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused() {
    let server = Server::builder().setting("fsync", "off");
    let server = server.start().await.unwrap();
    for (name, encoding) in [("bytes", "SQL_ASCII"), ("latin", "LATIN1")] {
        let create = format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0");
        server.execute(&create).await.unwrap();
        let store = connect(&server.url_of(name));
        refused(&store, "the database must have the encoding UTF8").await;
    }
}

/// A prepared transaction would hold the log's lock for as long as nobody decides about it.
#[tokio::test]
async fn two_phase_commit_of_a_change_is_refused() {
    let server = Server::builder().setting("fsync", "off");
    let server = server.setting("max_prepared_transactions", "5");
    let server = server.start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    let node = Node::start(connect(&server.url()), seldom).await;
    let issued = issue(&node).await;
    assert!(node.accepts(&issued.secret).await);
    let id = quoted(&issued.key.id);
    let revoke = format!("UPDATE keyward.keys SET revoked_at = now() WHERE id = {id}");

    let mut session = server.connect().await.unwrap();
    run(
        &mut session,
        &["BEGIN", "CREATE TABLE t ()", "PREPARE TRANSACTION 'other'"],
    )
    .await;
    run(&mut session, &["COMMIT PREPARED 'other'", "BEGIN", &revoke]).await;
    let prepare = raw_sql("PREPARE TRANSACTION 'change'");
    let error = prepare.execute(&mut session).await.unwrap_err();
    assert!(error.to_string().contains("NOTIFY"), "{error}");
    run(&mut session, &["ROLLBACK", &revoke]).await;
    node.comes_to(&issued.secret, REVOKED, SOON).await;
}

//! Postgres obeys every law of the contract, bare and through the verifier.
#![expect(clippy::expect_used, reason = "these are tests")]

use keyward_postgres::PostgresStore;
use keyward_throwaway::Database;

keyward_testkit::contract_tests!(guarded fresh().await);
keyward_testkit::hint_contract_tests!(guarded fresh().await);
keyward_testkit::verifier_contract_tests!(guarded fresh().await);

async fn fresh() -> (PostgresStore, Database) {
    let database = Database::fresh().await.expect("a database");
    let store = PostgresStore::connect(database.url()).expect("an address");
    store.migrate().await.expect("a schema");
    (store, database)
}

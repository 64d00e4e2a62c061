//! Postgres obeys every law of the contract, bare and through the verifier.

use keyward_postgres::PostgresStore;
use keyward_throwaway::Database;

keyward_testkit::contract_tests!(guarded fresh().await);
keyward_testkit::hint_contract_tests!(guarded fresh().await);
keyward_testkit::verifier_contract_tests!(guarded fresh().await);
keyward_testkit::lifecycle_contract_tests!(guarded fresh().await);

async fn fresh() -> (PostgresStore, Database) {
    let database = Database::fresh().await.unwrap();
    let store = PostgresStore::connect(database.url()).unwrap();
    store.migrate().await.unwrap();
    (store, database)
}

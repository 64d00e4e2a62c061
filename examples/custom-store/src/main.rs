//! Verifies the keys of a table that exists already, and that another program writes.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example custom-store
//! ```
//!
//! and try the curl lines that it prints. `PORT` chooses another port than 3000.
//!
//! The table stays as it is; this program only reads it. Nobody tells it of changes either, so what
//! it has read is believed for five seconds: for so long a key may live on once the other program
//! has revoked it, and no longer.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod product;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, response::IntoResponse};
use keyward::{Alphabet, ApiKeyLayer, KeyFormat, KeyRecord, KeySnapshot, LocalLog, Lookup};
use keyward::{KeyHash, Selector, StoreError};
use keyward::{Principal, Scopes, Verifier};
use rusqlite::{Connection, Row};

use product::Product;

/// The table. A look-up in a local file takes microseconds, so one connection is enough for all;
/// a table on another machine wants a pool and an asynchronous driver.
#[derive(Debug)]
struct ApiKeys(Mutex<Connection>);

#[async_trait]
impl Lookup for ApiKeys {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        // Keys without a public id are looked up by their hash, and in no other way.
        let digest = by.sha256().ok_or_else(|| StoreError::new("not a hash"))?;
        let hash = KeyHash::Sha256(*digest);
        let sql = "SELECT * FROM api_keys WHERE key_sha256 = ?1";
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = table.prepare_cached(sql).map_err(StoreError::new)?;
        let found = statement
            .query_map([digest.to_hex()], |row| Ok(record(row, &hash)?.into()))
            .and_then(Iterator::collect);
        found.map_err(StoreError::new)
    }
}

/// What the table says of a key. It is the verifier that judges whether the key is good.
fn record(row: &Row<'_>, hash: &KeyHash) -> rusqlite::Result<KeyRecord> {
    let (id, customer): (i64, String) = (row.get("id")?, row.get("customer_id")?);
    let mut record = KeyRecord::new(id.into(), customer, hash.clone());
    record.scopes = Scopes::from_stored(row.get::<_, String>("scopes")?.split(' '));
    let expires_at: Option<u64> = row.get("expires_at")?;
    record.expires_at = expires_at.map(|at| UNIX_EPOCH + Duration::from_secs(at));
    // The table does not know since when: any time will do.
    record.revoked_at = row.get::<_, bool>("revoked")?.then_some(UNIX_EPOCH);
    Ok(record)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `sk_live_` and 64 hexadecimal digits.
    let format = KeyFormat::builder("sk_live")
        .without_public_id()
        .secret(Alphabet::Hex, 64)
        .without_checksum()
        .build()?;

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let database = std::env::temp_dir().join(format!("keyward-custom-store-{port}.db"));
    let product = Product::new(database)?;
    let key = product.issue(&format)?;

    let table = ApiKeys(Mutex::new(product.connect()?));
    let verifier = Verifier::builder(LocalLog::max_age(table, Duration::from_secs(5)))
        .format(format)
        .verify_only()
        .await?;

    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    print_what_to_try(&key, listener.local_addr()?, &product);
    let app = Router::new()
        .route("/whoami", get(whoami))
        .layer(ApiKeyLayer::new(verifier))
        .route("/demo/revoke-in-sql", post(revoke_in_sql))
        .with_state(product);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn whoami(key: Principal) -> String {
    let (id, customer, scopes) = (key.key_id(), key.tenant(), key.scopes());
    format!("key {id} of {customer}, for {scopes}\n")
}

/// What the other program does when somebody revokes a key: it writes to its table, and that is all.
async fn revoke_in_sql(State(product): State<Product>) -> impl IntoResponse {
    match product.revoke_all() {
        Ok(keys) => (StatusCode::OK, format!("{keys} revoked\n")),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

fn print_what_to_try(key: &str, address: std::net::SocketAddr, product: &Product) {
    println!("key: {key}");
    println!();
    println!("# with the key, 200");
    println!("curl -i -H 'Authorization: Bearer {key}' http://{address}/whoami");
    println!("# without a key, 401");
    println!("curl -i http://{address}/whoami");
    println!("# the other program revokes it, 200");
    println!("curl -i -X POST http://{address}/demo/revoke-in-sql");
    println!("# or do so yourself");
    let database = product.database().display();
    println!("sqlite3 {database} 'UPDATE api_keys SET revoked = 1'");
    println!("# 200 for five seconds at most, and from then on 401");
    println!("curl -i -H 'Authorization: Bearer {key}' http://{address}/whoami");
}

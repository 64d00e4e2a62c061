//! What is read for a page of keys: an index and little more, however many keys there are.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::{Site, run};

/// A filter in the order of `keyward.filter`, and the most pages of the database that a page of ten keys
/// may take.
const QUESTIONS: [(&str, u64); 5] = [
    (
        "NULL, NULL, NULL, NULL, NULL, NULL, '{revoked}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        40,
    ),
    (
        "'large', NULL, NULL, NULL, NULL, NULL, '{revoked}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        40,
    ),
    (
        "'t7', NULL, NULL, NULL, NULL, NULL, '{revoked}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        60,
    ),
    (
        "NULL, 'user', 'u7', NULL, NULL, NULL, '{revoked}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
        60,
    ),
    (
        "NULL, NULL, NULL, NULL, NULL, NULL, '{revoked}', NULL, NULL, now() + interval '1 hour', NULL, NULL, NULL, NULL, NULL, NULL",
        60,
    ),
];

#[tokio::test]
async fn a_page_reads_no_more_than_it_must() {
    let site = Site::fresh().await;
    // One tenant has half of all keys, the others a few each; one key in four hundred ends soon.
    let fill = "INSERT INTO keyward.keys (id, tenant, owner_kind, owner_id, name, prefix, hint, hash, \
            digest, created_at, revision, revoked_at, expires_at) \
        SELECT 'k' || n, CASE WHEN n % 2 = 0 THEN 'large' ELSE 't' || n % 1000 END, 'user', \
            'u' || n % 1000, 'n', 'p', 'h', 'sha256', sha256(n::text::bytea), \
            now() - n * interval '1 second', 1, CASE WHEN n % 7 = 0 THEN now() END, \
            CASE WHEN n % 400 = 0 THEN now() + n * interval '1 minute' END \
        FROM generate_series(1, 20000) n";
    site.sql(fill).await;
    let mut session = site.database.connect().await.unwrap();
    run(&mut session, &["VACUUM ANALYZE keyward.keys"]).await;
    for (filter, most) in QUESTIONS {
        let page = format!("keyward.page(ROW ({filter})::keyward.filter, 'infinity', '', 10)");
        // What the catalogue takes is taken by the first.
        for _turn in 0..2 {
            run(&mut session, &[&format!("SELECT FROM {page}")]).await;
        }
        let read = pages(&mut session, &page).await;
        println!("{read} pages for {filter}");
        assert!(read <= most, "{read} pages for {filter}");
    }
}

/// A cap costs what its crowd costs.
#[tokio::test]
async fn a_cap_reads_no_more_than_its_crowd() {
    let site = Site::fresh().await;
    let fill = "INSERT INTO keyward.keys (id, tenant, owner_kind, owner_id, name, prefix, hint, hash, \
            digest, created_at, revision) \
        SELECT 'k' || n, 't' || n % 1000, 'user', 'u' || n % 1000, 'n', 'p', 'h', 'sha256', \
            sha256(n::text::bytea), now() - n * interval '1 second', 1 \
        FROM generate_series(1, 20000) n";
    site.sql(fill).await;
    let mut session = site.database.connect().await.unwrap();
    run(&mut session, &["VACUUM ANALYZE keyward.keys"]).await;
    for of in [
        r#"{"tenant": "t7", "hidden": ["revoked"]}"#,
        r#"{"owner_kind": "user", "owner_id": "u7", "hidden": ["revoked"]}"#,
    ] {
        let cap = format!(r#"{{"kind": "fewer", "than": 30, "of": {of}}}"#);
        let met = format!("(SELECT keyward.is_met('{cap}', now())) AS met");
        for _turn in 0..7 {
            run(&mut session, &[&format!("SELECT * FROM {met}")]).await;
        }
        let read = pages(&mut session, &met).await;
        println!("{read} pages for {of}");
        assert!(read <= 120, "{read} pages for {of}");
    }
}

/// How many pages are looked at for what stands behind `FROM`.
async fn pages(session: &mut PgConnection, from: &str) -> u64 {
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) SELECT * FROM {from}");
    let lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(explain))
        .fetch_all(session)
        .await
        .unwrap();
    let buffers = lines
        .iter()
        .find_map(|line| line.trim().strip_prefix("Buffers: shared "));
    let parts = buffers.unwrap().split([' ', '=']);
    parts.filter_map(|part| part.parse::<u64>().ok()).sum()
}

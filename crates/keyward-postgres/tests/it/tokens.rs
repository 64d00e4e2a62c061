//! Tokens go when their time is over, and stand in nobody's way.

use keyward_store::{Cursor, KeyStore};
use sqlx::PgConnection;
use tokio::sync::Mutex;

use crate::support::{HEALED, Site, run, within};

/// However many there are, all old ones go, but for the one that somebody holds; and those that are over
/// for less than an hour, by which clocks may be apart, stay.
#[tokio::test]
async fn old_tokens_are_forgotten() {
    let site = Site::fresh().await;
    let add = "INSERT INTO keyward.tokens (scope, text, key, until) SELECT 's', n::text, 'k', \
        now() - (interval '1 hour' + n * interval '1 second') FROM generate_series(1, 3500) n; \
        INSERT INTO keyward.tokens (scope, text, key, until) VALUES \
        ('s', 'just over', 'k', now() - interval '59 minutes'), \
        ('s', 'lasting', 'k', now() + interval '1 day')";
    site.sql(add).await;
    let mut holder = site.database.connect().await.unwrap();
    let hold = "SELECT FROM keyward.tokens WHERE text = '7' FOR UPDATE";
    run(&mut holder, &["BEGIN", hold]).await;
    // Housekeeping goes with the first poll.
    site.store().changes(&Cursor::origin()).await.unwrap();
    let session = Mutex::new(site.database.connect().await.unwrap());
    let left = async || -> Vec<String> {
        let session: &mut PgConnection = &mut *session.lock().await;
        let sql = "SELECT text FROM keyward.tokens ORDER BY until";
        sqlx::query_scalar(sql).fetch_all(session).await.unwrap()
    };
    within(HEALED, "old tokens are gone", async || {
        left().await.len() <= 3
    })
    .await;
    assert_eq!(left().await, ["7", "just over", "lasting"]);
    run(&mut holder, &["COMMIT"]).await;
    site.store().changes(&Cursor::origin()).await.unwrap();
    within(HEALED, "the last one is gone", async || {
        left().await.len() == 2
    })
    .await;
}

/// A batch is as large as is said, and says how large it was.
#[tokio::test]
async fn a_batch_of_tokens_is_bounded() {
    let site = Site::fresh().await;
    let add = "INSERT INTO keyward.tokens (scope, text, key, until) SELECT 's', n::text, 'k', \
        now() - n * interval '1 second' FROM generate_series(1, 25) n";
    site.sql(add).await;
    let mut session = site.database.connect().await.unwrap();
    for expected in [10, 10, 5, 0] {
        let sql = "SELECT keyward.forget_tokens(interval '0', 10)";
        let forgotten: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut session)
            .await
            .unwrap();
        assert_eq!(forgotten, expected);
    }
}

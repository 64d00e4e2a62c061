use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::Error;

pub(crate) async fn connect(url: &str) -> Result<PgConnection, Error> {
    PgConnection::connect(url)
        .await
        .map_err(Error::because("cannot connect to Postgres"))
}

/// Runs statements on a connection of their own, and returns how many rows they changed.
pub(crate) async fn execute(url: &str, sql: &str) -> Result<u64, Error> {
    let mut connection = connect(url).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .map_err(Error::because(format!("failed: {sql}")))?;
    let close = connection.close().await;
    close.map_err(Error::because("cannot close the connection"))?;
    Ok(done.rows_affected())
}

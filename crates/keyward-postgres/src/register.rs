//! The register of nodes.

use std::time::Duration;

use keyward_store::{Applied, Beat, HistoryId, Node, NodeId, RegisteredNode};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::Failure;
use crate::rows::Columns;

/// The row's lock puts beats and strikes in order: whichever comes second finds what the first left.
const BEAT: &str = "\
    WITH beaten AS (\
        INSERT INTO keyward.nodes AS n (id, name, lease_ms, beat, first_beat, history, number) \
        SELECT $1, $2, $3, b.beat, b.beat, $4, $5 FROM (SELECT nextval('keyward.beats') AS beat) b \
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, lease_ms = excluded.lease_ms, \
            beat = excluded.beat, seen_at = clock_timestamp(), \
            history = coalesce(excluded.history, n.history), \
            number = coalesce(excluded.number, n.number) \
        RETURNING n.first_beat\
    ) \
    SELECT b.first_beat, n.id, n.name, n.lease_ms, n.beat, n.history, n.number \
    FROM beaten b LEFT JOIN keyward.nodes n ON true";

/// Nobody waits for the disk: a place that is lost in a crash of the server is told again.
const APPLIED: &str = "\
    WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)) \
    UPDATE keyward.nodes SET history = $2, number = $3 FROM lazily WHERE id = $1";

const NODES: &str = "SELECT id, name, lease_ms, beat, history, number FROM keyward.nodes";
const STRIKE: &str = "DELETE FROM keyward.nodes WHERE id = $1 AND beat = $2";

pub(crate) async fn beat(connection: &mut PgConnection, node: &Node) -> Result<Beat, Failure> {
    let rows = sqlx::query(BEAT)
        .bind(uuid(&node.id))
        .bind(&*node.name)
        .bind(i64::try_from(node.lease.as_millis()).unwrap_or(i64::MAX))
        .bind(
            node.applied
                .map(|applied| applied.history.as_u64().cast_signed()),
        )
        .bind(node.applied.map(|applied| applied.number.cast_signed()))
        .fetch_all(connection)
        .await?;
    let first = rows
        .first()
        .ok_or(Failure::Nonsense("a beat without a row"))?;
    let first_beat = Columns::new(first).number()?;
    let nodes = rows.iter().map(|row| {
        let mut columns = Columns::new(row);
        columns.skip(1);
        registered(&mut columns)
    });
    let nodes = nodes
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(Beat::new(first_beat, nodes))
}

pub(crate) async fn applied(
    connection: &mut PgConnection,
    node: &NodeId,
    applied: Applied,
) -> Result<(), Failure> {
    let query = sqlx::query(APPLIED)
        .bind(uuid(node))
        .bind(applied.history.as_u64().cast_signed())
        .bind(applied.number.cast_signed());
    query.execute(connection).await?;
    Ok(())
}

pub(crate) async fn nodes(connection: &mut PgConnection) -> Result<Vec<RegisteredNode>, Failure> {
    let rows = sqlx::query(NODES).fetch_all(connection).await?;
    let nodes = rows.iter().map(row);
    nodes.filter_map(Result::transpose).collect()
}

pub(crate) async fn strike(
    connection: &mut PgConnection,
    node: &NodeId,
    beat: u64,
) -> Result<bool, Failure> {
    let query = sqlx::query(STRIKE)
        .bind(uuid(node))
        .bind(beat.cast_signed());
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

fn row(row: &PgRow) -> Result<Option<RegisteredNode>, Failure> {
    registered(&mut Columns::new(row))
}

/// `None` where there is no node in the row.
fn registered(columns: &mut Columns<'_>) -> Result<Option<RegisteredNode>, Failure> {
    let Some(id) = columns.next::<Option<Uuid>>()? else {
        return Ok(None);
    };
    let id = NodeId::from_bytes(id.into_bytes());
    let name: String = columns.next()?;
    let lease = Duration::from_millis(columns.number()?);
    let beat = columns.number()?;
    let mut node = Node::new(id, name, lease);
    let (history, number): (Option<i64>, Option<i64>) = (columns.next()?, columns.next()?);
    node.applied = history.zip(number).map(|(history, number)| Applied {
        history: HistoryId::new(history.cast_unsigned()),
        number: number.cast_unsigned(),
    });
    Ok(Some(RegisteredNode::new(node, beat)))
}

const fn uuid(node: &NodeId) -> Uuid {
    Uuid::from_bytes(*node.as_bytes())
}

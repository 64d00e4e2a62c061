//! Finding keys: one statement, and so one snapshot of the records and of the number.

use std::time::SystemTime;

use keyward_store::{
    Candidates, HistoryId, KeySnapshot, Loaded, MAX_LOOKUP_CANDIDATES, Origin, Selector,
};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::Failure;
use crate::filter::may_be_there;
use crate::rows::{Columns, snapshot_columns, snapshot_joins};
use crate::time::Timestamp;

/// A primary under which another server's history was begun belongs to no history yet: a poll sees
/// to that. A replica is of the history that it has copied.
macro_rules! load {
    ($by:literal) => {
        concat!(
            "SELECT (SELECT number FROM keyward.commits ORDER BY number DESC LIMIT 1), \
             CASE WHEN pg_is_in_recovery() OR l.server = pg_postmaster_start_time() \
                 THEN l.history END, \
             pg_is_in_recovery(), clock_timestamp(), ",
            snapshot_columns!(),
            " FROM keyward.log l LEFT JOIN keyward.keys k ON ",
            $by,
            snapshot_joins!(),
        )
    };
}

const BY_NAME: &str = load!("k.id = $1");
const BY_PUBLIC_ID: &str = load!("k.prefix = $1 AND k.public_id = $2");
/// As many as a credential has unless very many peppers are live. Of a list whose length is not
/// known, the server makes a new plan each time, which takes longer than the look-up.
const BY_DIGEST: &str = load!("k.digest IN ($1, $2, $3, $4)");
const BY_ANY_DIGEST: &str = load!("k.digest = ANY ($1)");
/// Of each beginning, the oldest keys alone.
const BY_DIGEST_OR_BEGINNING: &str = load!(
    "k.id = ANY (ARRAY( \
        SELECT id FROM keyward.keys WHERE digest = ANY ($1) \
        UNION SELECT b.id FROM unnest($2::text[]) AS l (lookup) CROSS JOIN LATERAL ( \
            SELECT id FROM keyward.keys WHERE lookup = l.lookup \
            ORDER BY created_at, id LIMIT $3) AS b))"
);

pub(crate) async fn load(connection: &mut PgConnection, by: &Selector) -> Result<Loaded, Failure> {
    let rows = match by {
        Selector::Key(id) => {
            let query = sqlx::query(BY_NAME).bind(id.as_str());
            query.fetch_all(connection).await?
        }
        Selector::PublicId { prefix, id } => {
            let query = sqlx::query(BY_PUBLIC_ID).bind(&**prefix).bind(id.as_str());
            query.fetch_all(connection).await?
        }
        Selector::Credential(candidates) => {
            let digests = digests(candidates);
            let beginnings = candidates.lookups().iter().map(|text| &**text);
            let beginnings: Vec<&str> = beginnings.filter(|text| may_be_there(text)).collect();
            let query = match *digests {
                _ if !beginnings.is_empty() => sqlx::query(BY_DIGEST_OR_BEGINNING)
                    .bind(digests)
                    .bind(beginnings)
                    .bind(i64::try_from(MAX_LOOKUP_CANDIDATES).unwrap_or(i64::MAX)),
                [a] => sqlx::query(BY_DIGEST).bind(a).bind(a).bind(a).bind(a),
                [a, b] => sqlx::query(BY_DIGEST).bind(a).bind(b).bind(b).bind(b),
                [a, b, c] => sqlx::query(BY_DIGEST).bind(a).bind(b).bind(c).bind(c),
                [a, b, c, d] => sqlx::query(BY_DIGEST).bind(a).bind(b).bind(c).bind(d),
                _ => sqlx::query(BY_ANY_DIGEST).bind(digests),
            };
            query.fetch_all(connection).await?
        }
        _ => return Err(Failure::Unfit("this selector is not known here".to_owned())),
    };
    let head = Head::read(rows.first().ok_or(NO_LOG)?)?;
    let mut found = rows.iter().map(snapshot).collect::<Result<Vec<_>, _>>()?;
    if let Selector::Credential(_) = by {
        // Its digest may be there under another pepper.
        found.retain(|found| {
            let record = found.as_ref().map(|found| &found.record);
            record.is_some_and(|record| by.matches(record))
        });
    }
    let found = found.into_iter().flatten().collect();
    let origin = if head.replica {
        Origin::Replica
    } else {
        Origin::Primary
    };
    let loaded = Loaded::new(found, head.history, head.number, head.now);
    Ok(loaded.from_origin(origin))
}

/// Everything that the credential may be kept as, in bytes.
fn digests(candidates: &Candidates) -> Vec<&[u8]> {
    let macs = candidates.macs().iter().map(|(_, mac)| mac);
    let ours = std::iter::once(candidates.sha256()).chain(macs);
    let foreign = candidates.foreign().iter();
    ours.map(|digest| &digest.as_bytes()[..])
        .chain(foreign.map(|hash| hash.text().as_bytes()))
        .collect()
}

fn snapshot(row: &PgRow) -> Result<Option<KeySnapshot>, Failure> {
    let mut columns = Columns::new(row);
    columns.skip(Head::COLUMNS);
    columns.snapshot()
}

/// What every row of the answer begins with.
struct Head {
    number: u64,
    history: HistoryId,
    replica: bool,
    now: SystemTime,
}

impl Head {
    const COLUMNS: usize = 4;

    fn read(row: &PgRow) -> Result<Self, Failure> {
        let mut columns = Columns::new(row);
        Ok(Self {
            number: columns.number()?,
            history: history(columns.next()?),
            replica: columns.next()?,
            now: columns.next::<Timestamp>()?.0,
        })
    }
}

/// The low half, which is random. There is none when the history is not known.
pub(crate) fn history(id: Option<Uuid>) -> HistoryId {
    HistoryId::new(id.map_or(0, |id| id.as_u64_pair().1))
}

pub(crate) const NO_LOG: Failure = Failure::Nonsense("the log has no row");

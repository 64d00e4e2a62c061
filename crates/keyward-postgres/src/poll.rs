//! Rule 3's question: what has changed. One statement, and so one snapshot.

use keyward_store::{Changes, Cursor, Event, EventSubject, Feed, KeyId, Owner, PublicId};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::Failure;
use crate::load::{NO_LOG, history};
use crate::rows::Columns;

/// A snapshot is fresh when each statement has its own. A connection that is left in a transaction
/// would hear no notification either.
const POLL: &str = "\
    WITH head AS (\
        SELECT pg_is_in_recovery() AS standby, \
            current_setting('transaction_isolation') = 'read committed' \
                AND statement_timestamp() - now() < interval '1 second' AS fresh, \
            l.server = pg_postmaster_start_time() AS same_server, l.history, c.number, c.token, \
            coalesce(l.history = $3 AND EXISTS (\
                SELECT FROM keyward.commits WHERE number = $1 AND token = $2), false) AS known \
        FROM keyward.log l, LATERAL (\
            SELECT number, token FROM keyward.commits ORDER BY number DESC LIMIT 1) c\
    ) \
    SELECT h.standby, h.fresh, h.same_server, h.history, h.number, h.token, h.known, \
        e.number, e.kind::text, e.key, e.public_ids, e.refound, e.tenant, e.owner_kind, e.owner_id \
    FROM head h LEFT JOIN LATERAL (\
        SELECT * FROM keyward.events WHERE h.known AND number > $1 ORDER BY number LIMIT $4) e ON true";

/// Another server answers than the one under which the history began: it was started anew, promoted
/// or restored, and may lack what was seen of it before.
const BEGIN_HISTORY: &str = "\
    UPDATE keyward.log SET history = gen_random_uuid(), server = pg_postmaster_start_time() \
    WHERE server <> pg_postmaster_start_time()";

/// More changes than that are told as one of everything: reading them would take longer than
/// reading again what is in use.
const MOST_EVENTS: usize = 16_384;

pub(crate) async fn changes(
    connection: &mut PgConnection,
    since: &Cursor,
) -> Result<Changes, Failure> {
    for _ in 0..2 {
        let place = Place::of(since);
        let rows = sqlx::query(POLL)
            .bind(place.number)
            .bind(place.token)
            .bind(place.history)
            .bind(i64::try_from(MOST_EVENTS + 1).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await?;
        let head = Head::read(rows.first().ok_or(NO_LOG)?)?;
        head.check()?;
        if head.same_server {
            return head.changes(&rows);
        }
        sqlx::query(BEGIN_HISTORY).execute(&mut *connection).await?;
    }
    Err(Failure::Unfit(
        "the server was replaced twice during one poll".to_owned(),
    ))
}

/// A cursor as this store makes them: its token is that of the commit, and the history's name.
#[derive(Default)]
struct Place {
    number: i64,
    token: Option<Uuid>,
    history: Option<Uuid>,
}

impl Place {
    fn of(cursor: &Cursor) -> Self {
        let (token, history) = cursor.token().split_at_checked(16).unwrap_or_default();
        match i64::try_from(cursor.number()) {
            Ok(number) => Self {
                number,
                token: Uuid::from_slice(token).ok(),
                history: Uuid::from_slice(history).ok(),
            },
            Err(_) => Self::default(),
        }
    }
}

/// What every row of the answer begins with.
struct Head {
    standby: bool,
    fresh: bool,
    same_server: bool,
    history: Uuid,
    number: u64,
    token: Uuid,
    known: bool,
}

impl Head {
    const COLUMNS: usize = 7;

    fn read(row: &PgRow) -> Result<Self, Failure> {
        let mut columns = Columns::new(row);
        Ok(Self {
            standby: columns.next()?,
            fresh: columns.next()?,
            same_server: columns.next()?,
            history: columns.next()?,
            number: columns.number()?,
            token: columns.next()?,
            known: columns.next()?,
        })
    }

    fn check(&self) -> Result<(), Failure> {
        if self.standby {
            let why = "a standby cannot tell what has changed: the primary must be asked";
            return Err(Failure::Unfit(why.to_owned()));
        }
        if !self.fresh {
            let why = "a poll inside of a longer transaction sees no changes";
            return Err(Failure::Unfit(why.to_owned()));
        }
        Ok(())
    }

    fn changes(self, rows: &[PgRow]) -> Result<Changes, Failure> {
        let token = [*self.token.as_bytes(), *self.history.as_bytes()].concat();
        let cursor = Cursor::new(self.number, token);
        let feed = if !self.known {
            Feed::HistoryChanged
        } else if rows.len() > MOST_EVENTS {
            Feed::Events(vec![Event::new(self.number, EventSubject::All)])
        } else {
            let events = rows.iter().filter_map(|row| event(row).transpose());
            Feed::Events(events.collect::<Result<_, _>>()?)
        };
        Ok(Changes::new(history(Some(self.history)), cursor, feed).with_hints())
    }
}

/// `None` where the row holds no event.
fn event(row: &PgRow) -> Result<Option<Event>, Failure> {
    let mut columns = Columns::new(row);
    columns.skip(Head::COLUMNS);
    let Some(number) = columns.next::<Option<i64>>()? else {
        return Ok(None);
    };
    let number = u64::try_from(number).map_err(|_| Failure::Nonsense("a number below zero"))?;
    let kind: &str = columns.next()?;
    let key: Option<&str> = columns.next()?;
    let public_ids: Option<Vec<Option<String>>> = columns.next()?;
    let refound: bool = columns.next()?;
    let tenant: Option<&str> = columns.next()?;
    let owner: (Option<&str>, Option<&str>) = (columns.next()?, columns.next()?);
    let subject = match (kind, key.map(KeyId::new), tenant, owner) {
        ("k", Some(Ok(key)), _, _) => EventSubject::Key {
            key,
            // What cannot be a public id cannot be asked for by one.
            public_ids: public_ids
                .into_iter()
                .flatten()
                .filter_map(|id| PublicId::new(&id?))
                .collect(),
            refound,
        },
        ("t", _, Some(tenant), _) => EventSubject::Tenant(tenant.into()),
        ("o", _, _, (Some(kind), Some(id))) => EventSubject::Owner(Owner::new(kind, id)),
        // Of everything, or of what this version does not know.
        _ => EventSubject::All,
    };
    Ok(Some(Event::new(number, subject)))
}

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use keyward::{AuditQuery, KeyRecord, KeySnapshot, KeyStatus, Limit};

use crate::asker::Asker;
use crate::failure::{Failure, shown};
use crate::fields::{Key, Query};
use crate::history::Entry;
use crate::list::done_text;
use crate::messages::{Messages, fill};
use crate::offer::{Choice, overlaps};
use crate::page::Page;
use crate::router::Frame;
use crate::row::{Row, owner};
use crate::time::{When, length};

/// A key with its history; with a question before it when the query has `rotate`, `undo` or `revoke`.
pub(crate) async fn details(
    asker: Asker,
    Key(id): Key,
    Query(fields): Query,
    State(page): State<Arc<Page>>,
) -> Result<Response, Failure> {
    let m = &page.messages;
    let acting = asker.acting(&page);
    let key = acting.get(&id).await?.ok_or(Failure::NotFound)?;
    let query = AuditQuery::key(&id).newest_first().limit(HISTORY);
    let history = acting.audit(&query).await?;
    let now = page.keys.now();
    let row = Row::new(&page, &asker, &key, now);
    let ask = if fields.has("revoke") && row.may.revoke {
        Some(Ask::Revoke(is_half(&asker, &page, &key, now).await?))
    } else if fields.has("rotate") && row.may.rotate {
        Some(Ask::Rotate(overlaps(&page)))
    } else if fields.has("undo") && row.may.undo {
        Some(Ask::Undo)
    } else {
        None
    };
    let record = &key.record;
    let entries = history.into_iter();
    let link = |id: &keyward::KeyId| asker.base.key(id.as_str());
    let template = DetailsTemplate {
        frame: Frame::new(&page, &asker.base, &m.title),
        m,
        list: asker.base.list(),
        id: record.id.as_str(),
        revision: record.revision,
        description: record.description.as_deref(),
        owner: record.owner.as_ref().map(owner),
        tags: &record.tags,
        networks: record.networks.iter().map(ToString::to_string).collect(),
        limits: record
            .limits
            .iter()
            .map(|limit| limit_text(limit, m))
            .collect(),
        replaces: record.rotated_from.as_ref().map(link),
        replaced_by: record.successor.as_ref().map(|next| link(&next.key)),
        retires: record
            .successor
            .as_ref()
            .map(|next| When::new(next.until, now, m)),
        expires: record.expires_at.map(|at| When::new(at, now, m)),
        history: entries.map(|entry| Entry::new(entry, now, m)).collect(),
        done: fields.one("done").and_then(|done| done_text(done, m)),
        row,
        ask,
    };
    Ok(shown(&template))
}

/// A question about the key.
#[derive(Debug)]
enum Ask {
    Rotate(Vec<Choice>),
    Undo,
    /// Whether it is one of two that overlap.
    Revoke(bool),
}

/// Whether another key would be revoked with this one.
async fn is_half(
    asker: &Asker,
    page: &Page,
    key: &KeySnapshot,
    now: SystemTime,
) -> Result<bool, Failure> {
    let record: &KeyRecord = &key.record;
    if record.status(now) == KeyStatus::Retiring {
        return Ok(true);
    }
    let Some(old) = &record.rotated_from else {
        return Ok(false);
    };
    let old = asker.acting(page).get(old).await?;
    Ok(old.is_some_and(|old| old.record.status(now) == KeyStatus::Retiring))
}

fn limit_text(limit: &Limit, m: &Messages) -> String {
    format!(
        "{} {}",
        fill(&m.limit, limit.requests()),
        length(limit.per(), m)
    )
}

#[derive(Template)]
#[template(path = "details.html")]
struct DetailsTemplate<'a> {
    frame: Frame<'a>,
    m: &'a Messages,
    list: String,
    row: Row,
    id: &'a str,
    revision: u64,
    description: Option<&'a str>,
    owner: Option<String>,
    tags: &'a [String],
    networks: Vec<String>,
    limits: Vec<String>,
    replaces: Option<String>,
    replaced_by: Option<String>,
    retires: Option<When>,
    expires: Option<When>,
    history: Vec<Entry>,
    done: Option<&'a str>,
    ask: Option<Ask>,
}

/// How many lines of its history stand beside a key.
const HISTORY: usize = 50;

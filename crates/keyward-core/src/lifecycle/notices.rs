//! Telling of keys that end soon, before they do.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, Change, CommitError, KeyFilter, KeyId, KeyRecord, ListQuery, StoreError, Token,
    Write,
};
use tokio::time::sleep;

use super::history;
use super::read::ending_before;
use crate::verifier::caught::caught;
use crate::verifier::node::Node;

/// Looks again and again for keys that end within so long, and leaves a line about each.
pub(crate) async fn run(node: Arc<Node>, within: Duration) {
    let mut told = Told::default();
    let pause = (within / 10).clamp(Duration::from_secs(1), Duration::from_secs(3600));
    loop {
        if let Err(error) = tell(&node, within, &mut told).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(target: "keyward", error, "keys that expire soon were not all told of");
        }
        sleep(pause).await;
    }
}

/// What this node knows to be told of, and so need not try again.
#[derive(Debug, Default)]
struct Told(HashMap<KeyId, SystemTime>);

async fn tell(node: &Arc<Node>, within: Duration, told: &mut Told) -> Result<(), StoreError> {
    let Some(records) = &node.records else {
        return Ok(());
    };
    let now = node.now();
    told.0.retain(|_, end| *end > now);
    let Some(end) = now.checked_add(within) else {
        return Ok(());
    };
    let filter = ending_before(KeyFilter::listed().at(now), end);
    let mut query = ListQuery::new(filter).limit(ListQuery::MAX_LIMIT);
    loop {
        let page = caught(async { records.list(&query).await }).await;
        let page = page.map_err(StoreError::new)??;
        for key in page.keys {
            tell_of(node, &key.record, told).await?;
        }
        match page.next {
            None => return Ok(()),
            next => query.after = next,
        }
    }
}

async fn tell_of(node: &Arc<Node>, key: &KeyRecord, told: &mut Told) -> Result<(), StoreError> {
    let Some(ends) = key.ends_at() else {
        return Ok(());
    };
    if told.0.get(&key.id) == Some(&ends) {
        return Ok(());
    }
    match node.commit(notice(key, ends, node.now())).await {
        // Another node has told of it.
        Ok(_) | Err(CommitError::TokenUsed(_)) => {
            told.0.insert(key.id.clone(), ends);
            Ok(())
        }
        Err(error) => Err(StoreError::new(error)),
    }
}

/// The line about a key that ends then: one for each key and end, whoever commits it first.
fn notice(key: &KeyRecord, ends: SystemTime, now: SystemTime) -> Change {
    let mut line = history::about(now, AuditAction::ExpiresSoon, None, key);
    let ends_at = history::spelled(ends);
    line.after = Some(serde_json::json!({ "endsAt": ends_at }).to_string());
    let text = format!("{} {ends_at}", key.id);
    let token = Token::new("keyward ends soon", text, key.id.clone(), ends + A_DAY);
    Change::new(now).write(Write::Token(token)).audit(line)
}

/// Longer than clocks may differ.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

use std::time::{Duration, SystemTime};

use keyward::{Action, KeyRecord, KeySnapshot, KeyStatus, Owner, Scope};

use crate::asker::Asker;
use crate::messages::{Messages, fill};
use crate::page::Page;
use crate::time::{When, days};

/// A key as it is shown.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) hint: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) environment: Option<String>,
    pub(crate) created: When,
    pub(crate) created_by: Option<String>,
    pub(crate) last_used: Option<When>,
    pub(crate) expires: Option<When>,
    /// Whether it ends within a week.
    pub(crate) ends_soon: bool,
    pub(crate) status: Status,
    /// For how many days nobody has used it, if that is long.
    pub(crate) unused: Option<u64>,
    pub(crate) may: May,
}

/// How a key stands: a word for the style sheet and one for people.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) class: &'static str,
    pub(crate) word: String,
}

/// What whoever looks may do to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct May {
    pub(crate) rotate: bool,
    pub(crate) undo: bool,
    pub(crate) revoke: bool,
    pub(crate) suspend: bool,
    pub(crate) resume: bool,
}

impl Row {
    pub(crate) fn new(page: &Page, asker: &Asker, key: &KeySnapshot, now: SystemTime) -> Self {
        let m = &page.messages;
        let KeySnapshot { record, .. } = key;
        let when = |at| When::new(at, now, m);
        let status = record.status(now);
        let last = key.last_used_at.unwrap_or(record.created_at);
        let idle = now
            .duration_since(last.max(record.created_at))
            .unwrap_or_default();
        let is_unused = status == KeyStatus::Active && idle >= page.unused_after;
        let ends = record.ends_at();
        let is_soon = |end: SystemTime| end.duration_since(now).is_ok_and(|left| left < WEEK);
        Self {
            href: asker.base.key(record.id.as_str()),
            name: record.name.clone(),
            hint: record.hint.clone(),
            scopes: record.scopes.iter().map(Scope::to_string).collect(),
            environment: record.environment.clone(),
            created: when(record.created_at),
            created_by: record.created_by.clone(),
            last_used: key.last_used_at.map(when),
            expires: ends.map(when),
            ends_soon: ends.is_some_and(is_soon),
            status: Status::new(status, m),
            unused: is_unused.then(|| days(idle)),
            may: May::new(page, asker, record, status),
        }
    }

    /// The first scopes.
    pub(crate) fn first_scopes(&self) -> &[String] {
        self.scopes.get(..SHOWN).unwrap_or(&self.scopes)
    }

    /// How many more there are.
    pub(crate) fn more_scopes(&self, m: &Messages) -> Option<String> {
        let more = self.scopes.len().saturating_sub(SHOWN);
        (more > 0).then(|| fill(&m.scopes_more, more))
    }

    /// The badge of a key that nobody uses.
    pub(crate) fn unused_badge(&self, m: &Messages) -> Option<String> {
        self.unused.map(|days| fill(&m.unused, days))
    }

    /// The same in a sentence.
    pub(crate) fn unused_text(&self, m: &Messages) -> Option<String> {
        self.unused.map(|days| fill(&m.unused_text, days))
    }
}

impl Status {
    pub(crate) fn new(status: KeyStatus, m: &Messages) -> Self {
        Self {
            class: status.as_str(),
            word: word(status, m).to_owned(),
        }
    }
}

/// What people call it.
pub(crate) fn word(status: KeyStatus, m: &Messages) -> &str {
    match status {
        KeyStatus::Active => &m.status_active,
        KeyStatus::Retiring => &m.status_retiring,
        KeyStatus::Suspended => &m.status_suspended,
        KeyStatus::Expired => &m.status_expired,
        KeyStatus::Retired => &m.status_retired,
        KeyStatus::Revoked => &m.status_revoked,
        other => other.as_str(),
    }
}

impl May {
    fn new(page: &Page, asker: &Asker, record: &KeyRecord, status: KeyStatus) -> Self {
        let may = |action| asker.may(page, action, record);
        let works = matches!(status, KeyStatus::Active | KeyStatus::Retiring);
        Self {
            rotate: status == KeyStatus::Active && may(Action::Rotate),
            undo: status == KeyStatus::Retiring && may(Action::Rotate),
            revoke: !status.is_final() && may(Action::Revoke),
            suspend: works && may(Action::Suspend),
            resume: status == KeyStatus::Suspended && may(Action::Suspend),
        }
    }
}

/// An owner as people read it: mostly there are users alone.
pub(crate) fn owner(owner: &Owner) -> String {
    owner.to_string()
}

/// How many scopes a list shows of each key.
const SHOWN: usize = 3;
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use keyward::{Action, KeyFilter, KeyStatus, Reach, Statuses};

use crate::asker::Asker;
use crate::create::Form;
use crate::failure::{Failure, shown};
use crate::fields::{Fields, Query};
use crate::messages::{Messages, fill};
use crate::offer::{Choice, Offered};
use crate::page::Page;
use crate::router::Frame;
use crate::row::{Row, word};
use crate::search;
use crate::time::days;

/// The list, with the form for a new key when the query has `new`.
pub(crate) async fn list(
    asker: Asker,
    Query(fields): Query,
    State(page): State<Arc<Page>>,
) -> Result<Response, Failure> {
    let filters = Filters::new(&page, &asker, &fields);
    if filters.text.as_deref() != asked(&fields) {
        // Neither the history nor a link that somebody copies shall keep more of a key.
        let after = fields.one("after").filter(|at| search::read(at).is_some());
        let address = filters.link(&asker.base.list(), after);
        return Ok(Redirect::to(&address).into_response());
    }
    let offered = Offered::to(&asker, &page).await?;
    let form = match offered.yes() {
        Some(offer) if fields.has("new") => Some(Form::new(&page, offer, &Fields::default(), None)),
        _ => None,
    };
    show(&page, &asker, &fields, &offered, form).await
}

/// The list, with a form.
pub(crate) async fn show(
    page: &Page,
    asker: &Asker,
    fields: &Fields,
    offered: &Offered,
    form: Option<Form>,
) -> Result<Response, Failure> {
    let m = &page.messages;
    let now = page.keys.now();
    let filters = Filters::new(page, asker, fields);
    let after = fields.one("after").and_then(search::read);
    let is_first = after.is_none();
    let found = search::find(
        &asker.acting(page),
        filters.filter(page, asker, now),
        filters.text.as_deref(),
        after,
        page.keys_per_page,
    )
    .await?;
    let rows = found.keys.iter();
    let rows: Vec<Row> = rows.map(|key| Row::new(page, asker, key, now)).collect();
    let failure = form.as_ref().and_then(|form| form.failure.clone());
    let template = ListTemplate {
        frame: Frame::new(page, &asker.base, &m.title),
        m,
        list: asker.base.list(),
        may_create: offered.yes().is_some(),
        not_now: matches!(offered, Offered::NotNow),
        only_looks: asker.only_looks(page),
        has_rows_actions: rows.iter().any(|row| row.may.rotate || row.may.revoke),
        older: found
            .next
            .as_ref()
            .map(|place| filters.link(&asker.base.list(), Some(&search::spell(place)))),
        newest: (!is_first).then(|| filters.link(&asker.base.list(), None)),
        looked_at: found.looked_at.map(|keys| fill(&m.searched, keys)),
        done: fields.one("done").and_then(|done| done_text(done, m)),
        is_empty: rows.is_empty() && is_first && filters.is_none(),
        rows,
        filters,
        form,
    };
    let status = failure.map(|failure: Failure| failure.status());
    Ok(match status {
        Some(status) => (status, shown(&template)).into_response(),
        None => shown(&template),
    })
}

/// What was done before this page was shown.
pub(crate) fn done_text<'a>(done: &str, m: &'a Messages) -> Option<&'a str> {
    Some(match done {
        "revoked" => &m.done_revoked,
        "suspended" => &m.done_suspended,
        "resumed" => &m.done_resumed,
        "undone" => &m.done_undone,
        _ => return None,
    })
}

/// What the list is asked for.
#[derive(Debug)]
pub(crate) struct Filters {
    pub(crate) text: Option<String>,
    status: Option<String>,
    environment: Option<String>,
    own: bool,
    unused: bool,
    pub(crate) statuses: Vec<Choice>,
    pub(crate) environments: Vec<Choice>,
    pub(crate) whose: Vec<Choice>,
    pub(crate) uses: Vec<Choice>,
    pub(crate) longest_text: usize,
}

impl Filters {
    fn new(page: &Page, asker: &Asker, fields: &Fields) -> Self {
        let m = &page.messages;
        let text = asked(fields).map(|text| search::sought(page.keys.formats(), text));
        let text = text.filter(|text| !text.is_empty()).map(str::to_owned);
        let known = |status: &&str| *status == "all" || named(status).is_some();
        let status = fields.one("status").filter(known).map(str::to_owned);
        let mut environments = page.environments.iter();
        let environment = fields.one("environment");
        let environment = environments.find(|known| Some(&*known.name) == environment);
        let environment = environment.map(|known| known.name.clone());
        let sees_others = asker.reach(page, Action::See) == Reach::Tenant;
        let may_ask = sees_others && asker.actor.owner().is_some();
        let own = may_ask && fields.one("whose") == Some("own");
        let unused = fields.one("unused") == Some("yes");

        let choice = |value: &str, text: &str, chosen: bool| Choice {
            value: value.to_owned(),
            text: text.to_owned(),
            chosen,
        };
        let is = |value: &str| status.as_deref() == Some(value);
        let mut statuses = vec![choice("", &m.status_current, status.is_none())];
        let each = KeyStatus::ALL
            .into_iter()
            .map(|status| choice(status.as_str(), word(status, m), is(status.as_str())));
        statuses.extend(each);
        statuses.push(choice("all", &m.status_all, is("all")));
        let mut all = Vec::new();
        if !page.environments.is_empty() {
            all.push(choice("", &m.environment_any, environment.is_none()));
        }
        all.extend(page.environments.iter().map(|known| {
            let chosen = environment.as_ref() == Some(&known.name);
            choice(&known.name, &known.name, chosen)
        }));
        let mut whose = Vec::new();
        if may_ask {
            whose.push(choice("", &m.whose_all, !own));
            whose.push(choice("own", &m.whose_own, own));
        }
        let only = fill(&m.unused_only, days(page.unused_after));
        let uses = vec![
            choice("", &m.unused_any, !unused),
            choice("yes", &only, unused),
        ];
        Self {
            text,
            status,
            environment,
            own,
            unused,
            statuses,
            environments: all,
            whose,
            uses,
            longest_text: search::longest(page.keys.formats()),
        }
    }

    /// Whether everything is listed that is by itself.
    pub(crate) const fn is_none(&self) -> bool {
        self.text.is_none()
            && self.status.is_none()
            && self.environment.is_none()
            && !self.own
            && !self.unused
    }

    fn filter(&self, page: &Page, asker: &Asker, now: SystemTime) -> KeyFilter {
        let mut filter = KeyFilter::listed();
        if let Some(status) = &self.status {
            let one = named(status).map(|status| Statuses::NONE.with(status));
            filter = filter.standing(one.unwrap_or(Statuses::ALL));
        }
        if let Some(environment) = &self.environment {
            filter = filter.environment(&**environment);
        }
        if let Some(owner) = asker.actor.owner().filter(|_| self.own) {
            filter = filter.owner(owner.clone());
        }
        if self.unused
            && let Some(since) = now.checked_sub(page.unused_after)
        {
            filter = filter.idle_since(since);
        }
        filter
    }

    /// The list by these filters, from that place on.
    fn link(&self, list: &str, after: Option<&str>) -> String {
        let fields = [
            ("q", self.text.as_deref()),
            ("status", self.status.as_deref()),
            ("environment", self.environment.as_deref()),
            ("whose", self.own.then_some("own")),
            ("unused", self.unused.then_some("yes")),
            ("after", after),
        ];
        let fields = fields.into_iter();
        let fields = fields.filter_map(|(name, value)| Some((name, value?)));
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(fields).finish();
        if query.is_empty() {
            return list.to_owned();
        }
        format!("{list}?{query}")
    }
}

/// The text that is asked for.
fn asked(fields: &Fields) -> Option<&str> {
    let text = fields.one("q").map(str::trim);
    text.filter(|text| !text.is_empty())
}

fn named(status: &str) -> Option<KeyStatus> {
    let mut all = KeyStatus::ALL.into_iter();
    all.find(|known| known.as_str() == status)
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListTemplate<'a> {
    frame: Frame<'a>,
    m: &'a Messages,
    list: String,
    may_create: bool,
    not_now: bool,
    only_looks: bool,
    has_rows_actions: bool,
    rows: Vec<Row>,
    is_empty: bool,
    filters: Filters,
    older: Option<String>,
    newest: Option<String>,
    looked_at: Option<String>,
    done: Option<&'a str>,
    form: Option<Form>,
}

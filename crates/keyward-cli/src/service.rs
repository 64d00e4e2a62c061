use std::time::Duration;

use keyward::{
    Acting, KeyFilter, KeyFormat, KeyId, KeySnapshot, Keyward, ListQuery, Page, StartError,
};
use keyward_postgres::PostgresStore;

use crate::failure::Failure;
use crate::foreign_spec::System;
use crate::named::no_such_key;
use crate::options::Options;

/// The keys, and who acts on them.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) keys: Keyward,
    pub(crate) actor: String,
}

/// Does something with the keys, and leaves no node behind on the register.
pub(crate) async fn with<T>(
    options: &Options,
    foreign: &[System],
    work: impl AsyncFnOnce(&Service) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let actor = options.actor();
    let store = options.store()?;
    let mut builder = Keyward::builder(store.clone())
        .node_name(format!("keyward {actor} {}", std::process::id()))
        .poll_limit(PATIENCE)
        .peppers(options.peppers()?);
    let mut formats = options.formats();
    if formats.is_empty() {
        // Nothing is issued or verified then, and no key is spelled so.
        formats.push(KeyFormat::new("no_format_was_named").map_err(StartError::from)?);
    }
    for format in formats {
        builder = builder.format(format);
    }
    for system in foreign {
        builder = system.clone().register(builder);
    }
    let keys = match builder.start().await {
        Ok(keys) => keys,
        Err(error) => return Err(unready(&store, error).await),
    };
    let service = Service { keys, actor };
    let done = work(&service).await;
    service.keys.shutdown().await;
    done
}

/// How long the database may take for what a service would give up after a second: nobody waits for
/// this program but who has started it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Why there was no start, in terms of what an operator can do.
pub(crate) async fn unready(store: &PostgresStore, error: StartError) -> Failure {
    if matches!(error, StartError::NotReady(_)) {
        match store.schema_version().await {
            Ok((0, _)) => return Failure::Schema("the schema must be made first"),
            Ok((present, needed)) if present < needed => {
                return Failure::Schema("the schema must be brought up to date first");
            }
            // Whatever it was, it is told.
            Ok(_) | Err(_) => {}
        }
    }
    error.into()
}

impl Service {
    pub(crate) fn acting(&self) -> Acting<'_> {
        self.keys.as_operator(&self.actor)
    }

    /// The key of that name.
    pub(crate) async fn key(&self, id: &KeyId) -> Result<KeySnapshot, Failure> {
        let found = self.acting().get(id).await?;
        found.ok_or_else(|| no_such_key(id))
    }

    /// The newest keys that a filter lets through, and whether there are more than so many.
    pub(crate) async fn keys(
        &self,
        filter: KeyFilter,
        most: usize,
    ) -> Result<(Vec<KeySnapshot>, bool), Failure> {
        let acting = self.acting();
        let page = async |query: ListQuery| acting.list(&query).await;
        pages(filter, most, page).await
    }
}

/// Reads pages until there are so many keys, or no more.
pub(crate) async fn pages<E: Into<Failure>>(
    filter: KeyFilter,
    most: usize,
    page: impl AsyncFn(ListQuery) -> Result<Page, E>,
) -> Result<(Vec<KeySnapshot>, bool), Failure> {
    let mut keys = Vec::new();
    let mut query = ListQuery::new(filter).limit(ListQuery::MAX_LIMIT.min(most));
    loop {
        let part = page(query.clone()).await.map_err(Into::into)?;
        keys.extend(part.keys);
        let Some(next) = part.next else {
            return Ok((keys, false));
        };
        if keys.len() >= most {
            keys.truncate(most);
            return Ok((keys, true));
        }
        query.after = Some(next);
    }
}

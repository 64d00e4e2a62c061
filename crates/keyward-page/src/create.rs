use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::response::Response;
use uuid::Uuid;

use crate::asker::Asker;
use crate::failure::Failure;
use crate::fields::{self, Fields};
use crate::list;
use crate::offer::{Choice, Offer, Offered, expiries};
use crate::page::Page;
use crate::reveal::reveal;

/// Creates a key and shows its secret in the answer itself, never behind a redirect.
pub(crate) async fn create(
    asker: Asker,
    State(page): State<Arc<Page>>,
    fields::Form(fields): fields::Form,
) -> Result<Response, Failure> {
    let offered = Offered::to(&asker, &page).await?;
    let Some(offer) = offered.yes() else {
        return Err(Failure::Forbidden);
    };
    let failure = match try_create(&asker, &page, offer, &fields).await {
        Ok(shown) => return Ok(shown),
        Err(failure) => failure,
    };
    if !failure.is_about_the_form() {
        return Err(failure);
    }
    let form = Form::new(&page, offer, &fields, Some(failure));
    list::show(&page, &asker, &Fields::default(), &offered, Some(form)).await
}

async fn try_create(
    asker: &Asker,
    page: &Page,
    offer: &Offer,
    fields: &Fields,
) -> Result<Response, Failure> {
    let mut key = offer.new_key(page, fields)?;
    if let Some(token) = fields.one("token") {
        key = key.idempotency_token(fresh(token)?);
    }
    let issued = asker.acting(page).issue(key).await?;
    Ok(reveal(page, asker, &issued, None))
}

/// The token of a form, if the service still remembers whether it was used: it does for 24 hours.
///
/// It says itself when it was made, so that a form which a browser brings back after days makes no second
/// key. Who makes one up harms nobody but themselves.
fn fresh(token: &str) -> Result<&str, Failure> {
    let uuid = Uuid::parse_str(token).map_err(|_| Failure::BadChoice)?;
    let (seconds, _) = uuid.get_timestamp().ok_or(Failure::BadChoice)?.to_unix();
    let made = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    let made = made.ok_or(Failure::BadChoice)?;
    match SystemTime::now().duration_since(made) {
        Ok(age) if age > LIFE => Err(Failure::OldForm),
        // The clock of another node may be ahead a little.
        Err(ahead) if ahead.duration() > AHEAD => Err(Failure::BadChoice),
        _ => Ok(token),
    }
}

/// A form for a new key.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) expiries: Vec<Choice>,
    pub(crate) environments: Vec<Choice>,
    pub(crate) access: &'static str,
    pub(crate) scopes: Vec<Choice>,
    pub(crate) fixed: bool,
    pub(crate) has_reads: bool,
    pub(crate) failure: Option<Failure>,
}

impl Form {
    /// One that is filled in as those fields say.
    pub(crate) fn new(
        page: &Page,
        offer: &Offer,
        fields: &Fields,
        failure: Option<Failure>,
    ) -> Self {
        let environment = fields.one("environment");
        let environments = page.environments.iter().enumerate();
        let environments = environments.map(|(place, known)| Choice {
            value: known.name.clone(),
            text: known.name.clone(),
            chosen: environment.map_or(place == 0, |chosen| chosen == known.name),
        });
        let scopes = offer.scopes.iter().map(|(scope, meaning)| Choice {
            value: scope.to_string(),
            text: meaning.clone(),
            chosen: fields.all("scope").any(|chosen| chosen == scope.as_str()),
        });
        Self {
            token: Uuid::now_v7().to_string(),
            // A key that was pasted here must not stand in the next page as well.
            name: match &failure {
                Some(Failure::NameIsKey) => String::new(),
                _ => fields.one("name").unwrap_or_default().to_owned(),
            },
            expiries: expiries(page, fields),
            environments: environments.collect(),
            access: offer.access(fields),
            scopes: scopes.collect(),
            fixed: offer.fixed,
            has_reads: offer.has_reads(),
            failure,
        }
    }

    /// What is wrong with it as a whole.
    pub(crate) fn failure_text(&self, m: &crate::Messages) -> Option<String> {
        self.failure.as_ref().map(|failure| failure.text(m))
    }

    /// Whether that is the name.
    pub(crate) const fn is_bad_name(&self) -> bool {
        matches!(self.failure, Some(Failure::BadName | Failure::NameIsKey))
    }
}

/// An hour less than the service remembers tokens.
const LIFE: Duration = Duration::from_secs(23 * 3600);
const AHEAD: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use uuid::Timestamp;

    use super::*;

    #[test]
    fn a_form_has_a_time() {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap().as_secs();
        let made = |seconds: u64| {
            let at = Timestamp::from_unix_time(seconds, 0, 0, 0);
            Uuid::new_v7(at).to_string()
        };
        assert!(fresh(&made(now)).is_ok());
        assert!(fresh(&made(now - 22 * 3600)).is_ok());
        assert!(fresh(&made(now + 60)).is_ok());
        assert!(matches!(
            fresh(&made(now - 24 * 3600)),
            Err(Failure::OldForm)
        ));
        assert!(matches!(fresh(&made(now + 3600)), Err(Failure::BadChoice)));
        for text in ["x", "00000000-0000-4000-8000-000000000000"] {
            assert!(matches!(fresh(text), Err(Failure::BadChoice)));
        }
    }
}

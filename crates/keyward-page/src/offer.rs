use std::time::Duration;

use keyward::{Action, LifecycleError, NewKey, Reach, Refusal, Scope, ScopeRule, Scopes};

use crate::asker::Asker;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::page::Page;
use crate::time::length;

/// What someone can choose for a new key.
#[derive(Debug)]
pub(crate) struct Offer {
    rights: Scopes,
    reads: Vec<Scope>,
    /// Every scope with its meaning.
    pub(crate) scopes: Vec<(Scope, String)>,
    /// The policy gives each key all that its maker has.
    pub(crate) fixed: bool,
    pub(crate) inherits: bool,
}

/// Whether someone may create keys.
#[derive(Debug)]
pub(crate) enum Offered {
    Yes(Offer),
    /// Their role never lets them.
    No,
    /// Their plan or standing does not let them now.
    NotNow,
}

/// A choice in a list.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) chosen: bool,
}

impl Offered {
    pub(crate) async fn to(asker: &Asker, page: &Page) -> Result<Self, Failure> {
        if asker.reach(page, Action::Issue) == Reach::Nobody {
            return Ok(Self::No);
        }
        match asker.acting(page).rights_now().await {
            Ok(rights) => Ok(Self::Yes(Offer::new(page, rights.unwrap_or_default()))),
            Err(LifecycleError::Refused(Refusal::Suspended | Refusal::NotEntitled)) => {
                Ok(Self::NotNow)
            }
            Err(LifecycleError::Refused(_)) => Ok(Self::No),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) const fn yes(&self) -> Option<&Offer> {
        match self {
            Self::Yes(offer) => Some(offer),
            Self::No | Self::NotNow => None,
        }
    }
}

impl Offer {
    fn new(page: &Page, rights: Scopes) -> Self {
        let named = page.scopes.iter().filter(|(scope, _)| rights.allows(scope));
        let mut scopes: Vec<(Scope, String)> = named.cloned().collect();
        for scope in rights.iter() {
            if !scopes.iter().any(|(known, _)| known == scope) {
                scopes.push((scope.clone(), String::new()));
            }
        }
        let is_read = |scope: &Scope| match &page.read_only {
            Some(reads) => reads.contains(scope),
            None => scope.as_str().rsplit(':').next() == Some("read"),
        };
        let reads = scopes.iter().map(|(scope, _)| scope);
        let reads = reads.filter(|scope| is_read(scope)).cloned().collect();
        let rule = page.keys.policy().rule();
        Self {
            rights,
            reads,
            scopes,
            fixed: rule == ScopeRule::Fixed,
            inherits: rule == ScopeRule::Inherited,
        }
    }

    /// Whether some of it, and not all, only reads.
    pub(crate) fn has_reads(&self) -> bool {
        !self.reads.is_empty() && self.reads.len() < self.scopes.len()
    }

    /// What is chosen of `read`, `all` and `chosen`.
    pub(crate) fn access(&self, fields: &Fields) -> &'static str {
        match fields.one("access") {
            Some("read") => "read",
            Some("all") => "all",
            Some("chosen") => "chosen",
            _ if fields.has("scope") => "chosen",
            _ if self.inherits => "all",
            _ if self.has_reads() => "read",
            _ => "chosen",
        }
    }

    /// The key that a form describes.
    pub(crate) fn new_key(&self, page: &Page, fields: &Fields) -> Result<NewKey, Failure> {
        let mut key = NewKey::named(fields.one("name").unwrap_or_default().trim());
        if let Some(after) = expiry(page, fields)? {
            key = key.expires_in(after);
        }
        if let Some(first) = page.environments.first() {
            let named = fields.one("environment").unwrap_or(&first.name);
            let mut known = page.environments.iter();
            let chosen = known.find(|known| known.name == named);
            let chosen = chosen.ok_or(Failure::BadChoice)?;
            key = key.environment(&*chosen.name).format(&*chosen.format);
        }
        if self.fixed || !fields.has("access") && !fields.has("scope") {
            // What follows from the policy.
            return Ok(key);
        }
        Ok(match self.access(fields) {
            "read" => key.scopes(self.reads.iter().cloned()),
            "all" => key.scopes(self.rights.iter().cloned()),
            _ => {
                let chosen = fields.all("scope").map(Scope::new);
                let chosen: Result<Vec<Scope>, _> = chosen.collect();
                // Whether they are among the rights, the service says.
                key.scopes(chosen.map_err(|_| Failure::BadChoice)?)
            }
        })
    }
}

/// The lengths of life that are offered.
pub(crate) fn expiries(page: &Page, fields: &Fields) -> Vec<Choice> {
    let chosen = fields.one("expiry");
    let m = &page.messages;
    let choices = page.expiries.iter().enumerate().map(|(place, expiry)| {
        let value = expiry.map_or("never".to_owned(), |after| after.as_secs().to_string());
        Choice {
            text: expiry.map_or(m.for_ever.to_string(), |after| length(after, m)),
            chosen: chosen.map_or(place == 0, |chosen| chosen == value),
            value,
        }
    });
    choices.collect()
}

fn expiry(page: &Page, fields: &Fields) -> Result<Option<Duration>, Failure> {
    let Some(first) = page.expiries.first() else {
        return Ok(None);
    };
    let wanted = match fields.one("expiry") {
        None => return Ok(*first),
        Some("never") => None,
        Some(seconds) => Some(seconds_of(seconds)?),
    };
    let is_offered = page.expiries.contains(&wanted);
    is_offered.then_some(wanted).ok_or(Failure::BadChoice)
}

/// The overlaps that are offered.
pub(crate) fn overlaps(page: &Page) -> Vec<Choice> {
    let m = &page.messages;
    let choices = page
        .overlaps
        .iter()
        .enumerate()
        .map(|(place, overlap)| Choice {
            value: overlap.as_secs().to_string(),
            text: if overlap.is_zero() {
                m.overlap_none.to_string()
            } else {
                length(*overlap, m)
            },
            chosen: place == 0,
        });
    choices.collect()
}

/// The overlap that is asked for.
pub(crate) fn overlap(page: &Page, fields: &Fields) -> Result<Duration, Failure> {
    let first = page.overlaps.first().copied().unwrap_or_default();
    let Some(seconds) = fields.one("overlap") else {
        return Ok(first);
    };
    let wanted = seconds_of(seconds)?;
    let is_offered = wanted == first || page.overlaps.contains(&wanted);
    is_offered.then_some(wanted).ok_or(Failure::BadChoice)
}

fn seconds_of(text: &str) -> Result<Duration, Failure> {
    let seconds = text.parse().map_err(|_| Failure::BadChoice)?;
    Ok(Duration::from_secs(seconds))
}

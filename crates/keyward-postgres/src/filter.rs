//! Which keys are meant, in the terms of the database.

use keyward_store::{KeptAs, KeyStatus, Statuses};

use crate::rows::{FOREIGN, HMAC_SHA256, SHA256};

/// The words of `keyward.status` for all the others.
pub(crate) fn hidden(statuses: Statuses) -> Vec<&'static str> {
    let others = KeyStatus::ALL.into_iter();
    others
        .filter(|status| !statuses.contains(*status))
        .map(KeyStatus::as_str)
        .collect()
}

/// The kind of hash and the pepper; `None` for what is not known here.
pub(crate) fn kept(kept: Option<&KeptAs>) -> Option<(Option<&str>, Option<&str>)> {
    Some(match kept {
        None => (None, None),
        Some(KeptAs::Sha256) => (Some(SHA256), None),
        Some(KeptAs::Pepper(pepper)) => (Some(HMAC_SHA256), Some(pepper.as_str())),
        Some(KeptAs::Foreign) => (Some(FOREIGN), None),
        Some(_) => return None,
    })
}

/// Whether a text can be anywhere in the database, which keeps none with a NUL.
pub(crate) fn may_be_there(text: &str) -> bool {
    !text.contains('\0')
}

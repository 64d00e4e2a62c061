//! What clap says of a command line that makes no sense, without what may be a secret in it.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The error, in which no value is quoted that may be a key, a pepper or a password.
pub(crate) fn without_secrets(mut error: Error) -> Error {
    let argument = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    let of_a_pepper = argument.starts_with("--pepper");
    let stray = error.kind() == ErrorKind::UnknownArgument && !argument.starts_with('-');
    for (kind, quoted) in [
        (ContextKind::InvalidValue, true),
        (ContextKind::InvalidSubcommand, true),
        // Elsewhere that is the name of an option.
        (ContextKind::InvalidArg, stray),
    ] {
        let long = text(&error, kind).is_some_and(|text| text.len() >= SHORTEST_SECRET);
        if quoted && (long || kind == ContextKind::InvalidValue && of_a_pepper) {
            error.insert(kind, ContextValue::String("…".to_owned()));
            // It quotes the same.
            error.remove(ContextKind::Suggested);
        }
    }
    error
}

/// What is shorter has fewer than the 128 random bits of every key.
pub(crate) const SHORTEST_SECRET: usize = 22;

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

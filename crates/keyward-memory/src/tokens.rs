use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use keyward_store::{KeyId, Token};

/// Tokens that have been used, until their time is over.
#[derive(Default)]
pub(crate) struct Tokens {
    by_name: HashMap<Name, (KeyId, SystemTime)>,
    by_end: BTreeSet<(SystemTime, Name)>,
}

/// Scope and text.
type Name = (String, String);

impl Tokens {
    /// The key that this token was used for, if its time is not over at `now`.
    pub(crate) fn used(&self, token: &Token, now: SystemTime) -> Option<&KeyId> {
        let (key, until) = self.by_name.get(&name(token))?;
        (now < *until).then_some(key)
    }

    /// Keeps a token, and gives the one whose place it took.
    pub(crate) fn put(&mut self, token: &Token) -> Option<Token> {
        let before = self.take(token);
        let name = name(token);
        self.by_end.insert((token.until, name.clone()));
        self.by_name.insert(name, (token.key.clone(), token.until));
        before
    }

    pub(crate) fn take(&mut self, token: &Token) -> Option<Token> {
        let name = name(token);
        let (key, until) = self.by_name.remove(&name)?;
        self.by_end.remove(&(until, name));
        let mut before = token.clone();
        before.key = key;
        before.until = until;
        Some(before)
    }

    /// Forgets those whose time is over, a few at each turn.
    pub(crate) fn sweep(&mut self, now: SystemTime) {
        for _turn in 0..SWEPT_AT_ONCE {
            if self.by_end.first().is_none_or(|(until, _)| *until > now) {
                return;
            }
            if let Some((_, name)) = self.by_end.pop_first() {
                self.by_name.remove(&name);
            }
        }
    }
}

fn name(token: &Token) -> Name {
    (token.scope.clone(), token.text.clone())
}

/// More than one change adds, mostly.
const SWEPT_AT_ONCE: usize = 4;

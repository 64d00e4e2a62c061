use std::fmt;
use std::time::SystemTime;

use crate::KeyRecord;

/// How a key stands by itself at some moment, whatever the standing of its tenant and owner.
///
/// Of several that hold the first is told, in this order: revoked, retired, expired, suspended,
/// retiring, active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyStatus {
    /// It is good.
    Active,
    /// It is good until its overlap with the key that replaced it ends.
    Retiring,
    /// It is refused until it is resumed.
    Suspended,
    /// It has expired.
    Expired,
    /// It was replaced, and its overlap with the new key is over.
    Retired,
    /// It was revoked.
    Revoked,
}

impl KeyStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Retiring,
        Self::Suspended,
        Self::Expired,
        Self::Retired,
        Self::Revoked,
    ];

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the key is over for good: what is revoked or retired never comes back.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Retired | Self::Revoked)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl KeyRecord {
    /// How the key stands at `at`. It is refused from the very instant of its expiry on.
    #[must_use]
    pub fn status(&self, at: SystemTime) -> KeyStatus {
        let successor = self.successor.as_ref();
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if successor.is_some_and(|successor| successor.is_over(at)) {
            KeyStatus::Retired
        } else if self.expires_at.is_some_and(|expiry| expiry <= at) {
            KeyStatus::Expired
        } else if self.suspended_at.is_some() {
            KeyStatus::Suspended
        } else if successor.is_some() {
            KeyStatus::Retiring
        } else {
            KeyStatus::Active
        }
    }

    /// The instant from which it is refused whatever else happens: its expiry, or the end of its
    /// overlap with the key that replaces it, whichever comes first.
    #[must_use]
    pub fn ends_at(&self) -> Option<SystemTime> {
        let retires = self.successor.as_ref().map(|successor| successor.until);
        match (self.expires_at, retires) {
            (Some(expires), Some(retires)) => Some(expires.min(retires)),
            (expires, retires) => expires.or(retires),
        }
    }
}

/// Some of the ways in which a key may stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statuses(u8);

impl Statuses {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(0b11_1111);
    /// What a list shows unless asked for more: everything but what is over for good.
    pub const LISTED: Self = Self::ALL
        .without(KeyStatus::Retired)
        .without(KeyStatus::Revoked);
    /// Whatever a request may bear now, or could after a resumption: what a cap counts. A key that
    /// has been replaced is not among them, so that a rotation needs no room of its own.
    pub const USABLE: Self = Self::NONE
        .with(KeyStatus::Active)
        .with(KeyStatus::Suspended);

    /// These, and `status`.
    #[must_use]
    pub const fn with(self, status: KeyStatus) -> Self {
        Self(self.0 | status.bit())
    }

    /// These, less `status`.
    #[must_use]
    pub const fn without(self, status: KeyStatus) -> Self {
        Self(self.0 & !status.bit())
    }

    /// Whether `status` is among them.
    #[must_use]
    pub const fn contains(self, status: KeyStatus) -> bool {
        self.0 & status.bit() != 0
    }

    /// Every one of them.
    pub fn iter(self) -> impl Iterator<Item = KeyStatus> {
        KeyStatus::ALL
            .into_iter()
            .filter(move |status| self.contains(*status))
    }
}

impl FromIterator<KeyStatus> for Statuses {
    fn from_iter<I: IntoIterator<Item = KeyStatus>>(statuses: I) -> Self {
        statuses.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_say() {
        assert_eq!(
            KeyStatus::ALL.into_iter().collect::<Statuses>(),
            Statuses::ALL
        );
        for status in KeyStatus::ALL {
            assert!(Statuses::ALL.contains(status));
            assert!(!Statuses::NONE.contains(status));
            assert!(!Statuses::ALL.without(status).contains(status));
            assert_eq!(Statuses::LISTED.contains(status), !status.is_final());
        }
    }
}

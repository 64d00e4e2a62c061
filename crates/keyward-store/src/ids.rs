use std::fmt;
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

/// Defines a name that is a short text and opaque to Keyward.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
            }
        }
    };
}

text_id! {
    /// The name of a record: what an operator revokes and an audit log shows. It is no secret and
    /// no part of the key.
    ///
    /// Keyward makes version 7 UUIDs (RFC 9562 §5.7), which sort by time; an existing table may
    /// have any other text or number.
    KeyId
}

text_id! {
    /// The customer, organization or workspace that a key belongs to, in the host's own terms.
    TenantId
}

impl KeyId {
    /// A new name, unlike every other.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The name of a record that has one already: 1 to 64 visible ASCII characters, none of which
    /// is a slash.
    ///
    /// # Errors
    /// [`InvalidId`] for any other text.
    pub fn new(id: &str) -> Result<Self, InvalidId> {
        let fits = (1..=64).contains(&id.len());
        if fits && id.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
            Ok(Self(id.into()))
        } else {
            Err(InvalidId)
        }
    }
}

impl From<i64> for KeyId {
    fn from(id: i64) -> Self {
        Self(id.to_string().into())
    }
}

impl TenantId {
    /// The longest tenant id, in bytes.
    pub const MAX: usize = 255;
}

impl From<&str> for TenantId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for TenantId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

/// Text that cannot be the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a key id has 1 to 64 visible ASCII characters and no slash")]
pub struct InvalidId;

/// Who a key belongs to within its tenant: a user, a service account, a team.
///
/// Both parts are the host's own and opaque to Keyward.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Owner {
    kind: Arc<str>,
    id: Arc<str>,
}

impl Owner {
    /// The owner `id` among those of `kind`, for instance `Owner::new("user", "42")`.
    #[must_use]
    pub fn new(kind: impl Into<Arc<str>>, id: impl Into<Arc<str>>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
        }
    }

    /// What sort of owner this is.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which one of them.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_key_ids_are_valid_and_differ() {
        let (a, b) = (KeyId::generate(), KeyId::generate());
        assert_ne!(a, b);
        assert_eq!(KeyId::new(a.as_str()), Ok(a));
    }

    #[test]
    fn foreign_key_ids_are_checked() {
        assert_eq!(KeyId::from(42).as_str(), "42");
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(KeyId::new(bad), Err(InvalidId), "{bad}");
        }
    }
}

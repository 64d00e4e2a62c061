/// What someone wants to do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Issue it.
    Issue,
    /// See it in lists, in reports and in the audit log.
    See,
    /// Change what it is called, or may do.
    Update,
    /// Replace it by a new key, or undo that.
    Rotate,
    /// Suspend or resume it.
    Suspend,
    /// Revoke it.
    Revoke,
}

impl Action {
    pub(super) const COUNT: usize = 6;

    pub(super) const fn place(self) -> usize {
        self as usize
    }

    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::See => "see",
            Self::Update => "update",
            Self::Rotate => "rotate",
            Self::Suspend => "suspend",
            Self::Revoke => "revoke",
        }
    }
}

/// Whose keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reach {
    /// Nobody's.
    #[default]
    Nobody,
    /// One's own.
    Own,
    /// All of one's tenant.
    Tenant,
}

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Bound;

use keyward_store::{KeyId, KeyRecord, ListCursor};

/// The names of keys by group, and in each group newest first.
///
/// One dense tree, and not one for each group: a million tenants of one key each cost no more than
/// one tenant of a million.
pub(crate) struct ByAge<G>(BTreeSet<(G, Place)>);

/// Where a key stands in its group; `None` is before every key.
type Place = Option<Reverse<ListCursor>>;

impl<G: Ord + Clone> ByAge<G> {
    pub(crate) fn insert(&mut self, group: G, record: &KeyRecord) {
        self.0.insert((group, place(record)));
    }

    pub(crate) fn remove(&mut self, group: G, record: &KeyRecord) {
        self.0.remove(&(group, place(record)));
    }

    /// The keys of a group from the newest on, or from behind a place on.
    pub(crate) fn after<'a>(
        &'a self,
        group: &'a G,
        cursor: Option<&ListCursor>,
    ) -> impl Iterator<Item = &'a KeyId> + use<'a, G> {
        let start = (group.clone(), cursor.cloned().map(Reverse));
        self.0
            .range((Bound::Excluded(start), Bound::Unbounded))
            .take_while(move |(of, _)| of == group)
            .filter_map(|(_, place)| place.as_ref().map(|Reverse(at)| &at.key))
    }
}

// Derived, it would ask for `G: Default`.
impl<G> Default for ByAge<G> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

fn place(record: &KeyRecord) -> Place {
    Some(Reverse(ListCursor {
        created_at: record.created_at,
        key: record.id.clone(),
    }))
}

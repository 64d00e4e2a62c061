//! What a change locks before it looks at anything.

use std::collections::BTreeMap;

use keyward_store::{Change, Expectation, KeyFilter, Owner, Subject, Write};
use serde_json::{Value, json};

/// What no two changes may decide about at once.
///
/// Rows that exist are locked themselves. A standing and a token may not exist yet; and a cap counts
/// rows that others add: so a change with a cap also locks, shared, whatever its own rows count
/// towards. A change without one reads nothing that is not locked, and needs no more. A row that is
/// deleted only makes room under the caps of others, whichever of the two is made first.
pub(crate) fn locks(change: &Change) -> Vec<Value> {
    let mut locks = BTreeMap::new();
    let subjects = change
        .expectations
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::SubjectRevision { subject, .. } => Some(subject),
            _ => None,
        });
    let written = change.writes.iter().filter_map(|write| match write {
        Write::Standing { subject, .. } => Some(subject),
        _ => None,
    });
    for subject in subjects.chain(written) {
        locks.insert(format!("keyward standing {}", subject_name(subject)), false);
    }
    for write in &change.writes {
        if let Write::Token(token) = write {
            let scope = &token.scope;
            // The length keeps "a b" and "c" apart from "a" and "b c".
            let name = format!("keyward token {} {scope} {}", scope.len(), token.text);
            locks.insert(name, false);
        }
    }
    let caps = || {
        change
            .expectations
            .iter()
            .filter_map(|expectation| match expectation {
                Expectation::Fewer { of, .. } => Some(counted(of)),
                _ => None,
            })
    };
    if caps().next().is_some() {
        for write in &change.writes {
            if let Write::Insert(record) | Write::Replace { record, .. } = write {
                let mut filter = KeyFilter::all();
                locks.insert(counted(&filter), true);
                filter.tenant = Some(record.tenant.clone());
                locks.insert(counted(&filter), true);
                filter.owner.clone_from(&record.owner);
                locks.insert(counted(&filter), true);
                if record.lookup.is_some() {
                    filter.lookup.clone_from(&record.lookup);
                    locks.insert(counted(&filter), true);
                }
            }
        }
    }
    locks.extend(caps().map(|cap| (cap, false)));
    let locks = locks.into_iter();
    locks
        .map(|(name, shared)| json!({ "name": name, "shared": shared }))
        .collect()
}

/// The narrowest crowd that holds everyone whom the filter counts.
fn counted(filter: &KeyFilter) -> String {
    if let Some(lookup) = &filter.lookup {
        return format!("keyward keys beginning with {lookup}");
    }
    match (&filter.owner, &filter.tenant) {
        (Some(owner), _) => format!("keyward keys of {}", owner_name(owner)),
        (None, Some(tenant)) => format!("keyward keys of tenant {tenant}"),
        (None, None) => "keyward keys".to_owned(),
    }
}

fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Owner(owner) => owner_name(owner),
        Subject::Tenant(tenant) => format!("tenant {tenant}"),
        _ => "unknown".to_owned(),
    }
}

fn owner_name(owner: &Owner) -> String {
    // The length keeps "a:b" of kind "c" and "b" of kind "c:a" apart.
    format!("owner {} {owner}", owner.kind().len())
}

/// The names of all rows that are looked at, replaced or deleted.
pub(crate) fn keys(change: &Change) -> Vec<&str> {
    let expected = change
        .expectations
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::Revision { key, .. } => Some(key.as_str()),
            _ => None,
        });
    let written = change.writes.iter().filter_map(|write| match write {
        Write::Replace { record, .. } => Some(record.id.as_str()),
        Write::Delete { key, .. } => Some(key.as_str()),
        _ => None,
    });
    expected.chain(written).collect()
}

//! Lists of keys.

use keyward_store::{KeyId, KeyRecord, ListQuery, Owner, Records, Statuses};

use super::sample::{by_key, edit, full_record, record, second, time};
use super::tools::put;

/// Keys are listed newest first, and those of one instant by falling id: byte by byte, as no
/// language sorts.
pub async fn the_newest_key_comes_first(store: impl Records) {
    let ids = ["~", "b", "a-1", "a", "_", "Z", "B", "9", "10", "-", "!"];
    let mut keys: Vec<KeyRecord> = (0..)
        .zip(ids)
        .map(|(n, id)| {
            let mut record = record(n);
            record.id = KeyId::new(id).unwrap();
            record.created_at = time(50);
            record
        })
        .collect();
    keys.extend([record(51), record(49), record(5_000_000)]);
    put(&store, keys).await;

    let mut sorted = vec!["key-5000000", "key-51"];
    sorted.extend(ids);
    sorted.push("key-49");
    assert_eq!(names(&store, &ListQuery::all()).await, sorted);
    for limit in 1..=sorted.len() {
        assert_eq!(pages(&store, &ListQuery::all().limit(limit)).await, sorted);
    }
}

/// A page holds as many keys as were asked for, and has a cursor if and only if there are more.
pub async fn a_page_has_a_cursor_if_there_is_more(store: impl Records) {
    let empty = store.list(&ListQuery::all()).await.unwrap();
    assert_eq!((empty.keys.len(), empty.next), (0, None));
    put(&store, (0..10).map(record)).await;
    for (limit, kept, more) in [(1, 1, true), (9, 9, true), (10, 10, false), (11, 10, false)] {
        let page = store.list(&ListQuery::all().limit(limit)).await.unwrap();
        assert_eq!((page.keys.len(), page.next.is_some()), (kept, more));
    }
    let most = ListQuery::all().limit(ListQuery::MAX_LIMIT);
    assert_eq!(store.list(&most).await.unwrap().keys.len(), 10);
}

/// Keys that are issued or revoked while someone turns pages neither repeat a key nor hide one.
pub async fn pages_stay_while_keys_come_and_go(store: impl Records) {
    put(&store, (100..120).map(record)).await;
    let mut query = ListQuery::all().limit(3);
    let mut seen = Vec::new();
    for turn in 0.. {
        assert!(turn < 20, "the pages do not end");
        let page = store.list(&query).await.unwrap();
        seen.extend(page.keys.into_iter().map(|key| key.record));
        let Some(next) = page.next else { break };
        query = query.after(next.clone());
        // A newer key, and the revocation of the very key that the cursor stands at.
        put(&store, [record(500 + turn)]).await;
        let at = seen.iter().find(|record| record.id == next.key).unwrap();
        let (_, change) = edit(at, false, |record| {
            record.revoked_at = Some(time(900));
        });
        store.commit(&change).await.unwrap();
    }
    let expected: Vec<_> = (100..120).rev().map(record).collect();
    assert_eq!(seen, expected);
}

/// A list holds the keys of the tenant and of the owner that were asked for, and no others.
pub async fn a_list_holds_what_was_asked_for(store: impl Records) {
    let keys = [
        ("acme", Some(("user", "1"))),
        ("acme", Some(("team", "1"))),
        ("acme", None),
        ("other", Some(("user", "1"))),
        ("acme", Some(("user", "1"))),
    ];
    put(
        &store,
        (0..).zip(keys).map(|(n, (tenant, owner))| {
            let mut record = record(n);
            record.tenant = tenant.into();
            record.owner = owner.map(|(kind, id)| Owner::new(kind, id));
            record
        }),
    )
    .await;

    let user = Owner::new("user", "1");
    let acme = ListQuery::tenant("acme");
    for (query, expected) in [
        (ListQuery::all(), vec![4, 3, 2, 1, 0]),
        (acme.clone(), vec![4, 2, 1, 0]),
        (ListQuery::all().owner(user.clone()), vec![4, 3, 0]),
        (acme.clone().owner(user), vec![4, 0]),
        (acme.owner(Owner::new("user", "2")), vec![]),
        (ListQuery::tenant("acm"), vec![]),
        (ListQuery::tenant("ACME"), vec![]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| format!("key-{n}")).collect();
        assert_eq!(names(&store, &query).await, expected, "{query:?}");
        assert_eq!(pages(&store, &query.clone().limit(1)).await, expected);
    }
}

/// Revoked keys are listed only when they are asked for; expired and suspended ones always.
pub async fn revoked_keys_are_hidden_unless_asked_for(store: impl Records) {
    let edits: [fn(&mut KeyRecord); 4] = [
        |_| {},
        |record| record.revoked_at = Some(time(0)),
        |record| record.suspended_at = Some(time(0)),
        |record| record.expires_at = Some(time(0)),
    ];
    put(
        &store,
        (0..).zip(edits).map(|(n, edit)| {
            let mut record = record(n);
            edit(&mut record);
            record
        }),
    )
    .await;
    let usable = ["key-3", "key-2", "key-0"];
    assert_eq!(names(&store, &ListQuery::all()).await, usable);
    assert_eq!(pages(&store, &ListQuery::all().limit(1)).await, usable);
    let all = ["key-3", "key-2", "key-1", "key-0"];
    let query = ListQuery::all().standing(Statuses::ALL);
    assert_eq!(names(&store, &query).await, all);
}

/// A list says of a key what finding it says.
pub async fn a_list_says_what_finding_says(store: impl Records) {
    put(&store, [full_record(), record(1)]).await;
    let key = record(1).id;
    let at = second(5);
    store
        .touch(&[keyward_store::Use { key, at }])
        .await
        .unwrap();
    let query = ListQuery::all().standing(Statuses::ALL);
    let listed = store.list(&query).await.unwrap().keys;
    assert_eq!(listed.len(), 2);
    for key in listed {
        let found = store.find(&by_key(&key.record)).await.unwrap();
        assert_eq!(found, [key]);
    }
}

/// A key that moves to another owner or tenant, or to another age, is listed there, and there
/// alone.
pub async fn a_key_is_listed_where_it_belongs_now(store: impl Records) {
    let [first, second] = ["1", "2"].map(|id| Owner::new("user", id));
    let mut key = record(1);
    key.owner = Some(first.clone());
    put(&store, [key.clone()]).await;
    let (key, change) = edit(&key, false, |key| {
        key.owner = Some(second.clone());
        key.created_at = time(7);
    });
    store.commit(&change).await.unwrap();
    listed_once(&store, &key, &ListQuery::all().owner(first)).await;

    let (key, change) = edit(&key, false, |key| {
        key.tenant = "other".into();
        key.owner = None;
    });
    store.commit(&change).await.unwrap();
    listed_once(&store, &key, &ListQuery::all().owner(second)).await;
    listed_once(&store, &key, &ListQuery::tenant("acme-inc")).await;
}

async fn listed_once(store: &impl Records, key: &KeyRecord, gone: &ListQuery) {
    let mut here = vec![ListQuery::all(), ListQuery::tenant(key.tenant.clone())];
    let owner = key.owner.clone();
    here.extend(owner.map(|owner| ListQuery::all().owner(owner)));
    for query in here {
        assert_eq!(names(store, &query).await, ["key-1"], "{query:?}");
    }
    assert_eq!(names(store, gone).await, Vec::<String>::new(), "{gone:?}");
}

/// The names on the first page.
async fn names(store: &impl Records, query: &ListQuery) -> Vec<String> {
    let page = store.list(query).await.unwrap();
    let names = page.keys.iter();
    names.map(|key| key.record.id.to_string()).collect()
}

/// The names on all pages.
async fn pages(store: &impl Records, query: &ListQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut names = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.keys.len() <= query.limit);
        names.extend(page.keys.iter().map(|key| key.record.id.to_string()));
        assert!(names.len() < 1000, "the pages do not end");
        match page.next {
            Some(next) => query = query.after(next),
            None => return names,
        }
    }
}

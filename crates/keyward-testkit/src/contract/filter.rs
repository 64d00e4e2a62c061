//! Which keys a list holds.

use std::time::{Duration, SystemTime};

use keyward_store::{
    KeptAs, KeyFilter, KeyId, KeyRecord, KeyStatus, ListQuery, Owner, PepperId, Records, Statuses,
    Successor, Use,
};

use super::population::{Dice, Population};
use super::sample::{digest, edit, foreign, hmac, key_id, record, time};
use super::tools::put;

/// A list can be asked for by every field, and holds the keys of which it is true, those at the bound
/// among them or not as the field says.
pub async fn a_list_can_be_asked_for_by_each_field(store: impl Records) {
    let edits: [fn(&mut KeyRecord); 6] = [
        |_| {},
        |key| key.tenant = "other".into(),
        |key| {
            key.owner = Some(Owner::new("user", "1"));
            key.tags = vec!["ci".to_owned(), "nightly".to_owned()];
        },
        |key| {
            key.environment = Some("live".to_owned());
            key.expires_at = Some(time(40));
        },
        |key| {
            key.prefix = "acme_test".to_owned();
            key.hash = hmac("old", digest(4));
            key.revoked_at = Some(time(30));
        },
        |key| {
            key.hash = foreign("bcrypt", "$2b$12$abc");
            key.expires_at = Some(time(50));
            key.successor = Some(Successor {
                key: key_id(2),
                since: time(10),
                until: time(20),
            });
        },
    ];
    let keys = (0..).zip(edits).map(|(n, edit)| {
        let mut key = record(n);
        edit(&mut key);
        key
    });
    put(&store, keys).await;
    let uses = [(1, time(60)), (3, time(70))].map(|(n, at)| Use { key: key_id(n), at });
    store.touch(&uses).await.unwrap();

    let all = KeyFilter::all;
    let pepper = |id: &str| KeptAs::Pepper(PepperId::new(id));
    for (filter, expected) in [
        (all(), &[5, 4, 3, 2, 1, 0][..]),
        (all().tenant("other"), &[1]),
        (all().owner(Owner::new("user", "1")), &[2]),
        (all().owner(Owner::new("user", "2")), &[]),
        (all().environment("live"), &[3]),
        (all().environment(""), &[]),
        (all().prefix("acme_test"), &[4]),
        (all().prefix("acme"), &[]),
        (all().tag("nightly"), &[2]),
        (all().tag("night"), &[]),
        (all().created_before(time(2)), &[1, 0]),
        (all().ends_before(time(40)), &[5]),
        (all().ends_before(time(41)), &[5, 3]),
        (all().over_before(time(20)), &[]),
        (all().over_before(time(21)), &[5]),
        (all().over_before(time(31)), &[5, 4]),
        (all().over_before(time(41)), &[5, 4, 3]),
        (all().used_since(time(60)), &[3, 1]),
        (all().used_since(time(61)), &[3]),
        (all().idle_since(time(60)), &[5, 4, 2, 0]),
        (all().idle_since(time(61)), &[5, 4, 2, 1, 0]),
        (all().idle_since(time(2)), &[0]),
        (all().kept(KeptAs::Sha256), &[3, 2, 1, 0]),
        (all().kept(pepper("old")), &[4]),
        (all().kept(pepper("new")), &[]),
        (all().kept(KeptAs::Foreign), &[5]),
        (all().standing(Statuses::NONE), &[]),
    ] {
        let expected: Vec<_> = expected.iter().map(|n| key_id(*n)).collect();
        let listed = list(&store, &filter, 2).await;
        assert_eq!(listed, expected, "{filter:?}");
    }
}

/// How a key stands is told by the moment that was asked for: it changes at the very instant, and with
/// no overlap a key that was replaced is retired at every moment. Of several ways the first is told.
pub async fn a_key_stands_as_it_does_at_the_moment_asked_for(store: impl Records) {
    use KeyStatus::{Active, Expired, Retired, Retiring, Revoked, Suspended};
    let ways: [Way; 9] = [
        (|_| {}, [Active; 3]),
        (expire, [Active, Expired, Expired]),
        (suspend, [Suspended; 3]),
        (rotate, [Retiring, Retiring, Retired]),
        (revoke, [Revoked; 3]),
        (
            |key| {
                rotate(key);
                suspend(key);
            },
            [Suspended, Suspended, Retired],
        ),
        (
            |key| {
                rotate(key);
                expire(key);
                suspend(key);
            },
            [Suspended, Expired, Retired],
        ),
        (
            |key| {
                rotate(key);
                revoke(key);
            },
            [Revoked; 3],
        ),
        (
            |key| {
                key.successor = Some(Successor {
                    key: key_id(100),
                    since: time(500),
                    until: time(500),
                });
            },
            [Retired; 3],
        ),
    ];
    let keys = (0..).zip(&ways).map(|(n, (edit, _))| {
        let mut key = record(n);
        edit(&mut key);
        key
    });
    put(&store, keys).await;
    for (turn, at) in [time(99), time(100), time(200)].into_iter().enumerate() {
        for status in KeyStatus::ALL {
            let one = Statuses::NONE.with(status);
            let filter = KeyFilter::all().standing(one).at(at);
            let expected = (0..ways.len()).rev();
            let expected = expected.filter(|n| ways[*n].1[turn] == status);
            let expected: Vec<_> = expected.map(|n| key_id(n.try_into().unwrap())).collect();
            let listed = list(&store, &filter, 100).await;
            assert_eq!(listed, expected, "{status} in turn {turn}");
        }
    }
}

/// Where no moment is asked for, it is the present.
pub async fn a_key_stands_as_it_does_at_present(store: impl Records) {
    let day = Duration::from_secs(24 * 3600);
    let now = SystemTime::now();
    let ends = [None, Some(now - day), Some(now + day)];
    let keys = (0..).zip(ends).map(|(n, end)| {
        let mut key = record(n);
        key.expires_at = end;
        key
    });
    put(&store, keys).await;
    let active = KeyFilter::all().standing(Statuses::NONE.with(KeyStatus::Active));
    let listed = list(&store, &active, 100).await;
    assert_eq!(listed, [key_id(2), key_id(0)]);
    let later = list(&store, &active.at(now + 2 * day), 100).await;
    assert_eq!(later, [key_id(0)]);
}

/// A key that changes, or is used, is listed by what is true of it now.
pub async fn a_list_follows_what_changes(store: impl Records) {
    put(&store, [record(1)]).await;
    let tagged = KeyFilter::listed().tag("ci");
    let used = KeyFilter::listed().used_since(time(50));
    let none: [KeyId; 0] = [];
    assert_eq!(list(&store, &tagged, 9).await, none);
    assert_eq!(list(&store, &used, 9).await, none);
    let (key, change) = edit(&record(1), false, |key| key.tags = vec!["ci".to_owned()]);
    store.commit(&change).await.unwrap();
    let at = time(50);
    let touch = Use { key: key_id(1), at };
    store.touch(&[touch]).await.unwrap();
    assert_eq!(list(&store, &tagged, 9).await, [key_id(1)]);
    assert_eq!(list(&store, &used, 9).await, [key_id(1)]);
    let (_, change) = edit(&key, false, |key| key.tags.clear());
    store.commit(&change).await.unwrap();
    assert_eq!(list(&store, &tagged, 9).await, none);
    assert_eq!(list(&store, &used, 9).await, [key_id(1)]);
}

/// Whatever a list is asked for, it holds exactly the keys that the filter lets through, newest first,
/// in pages of any size.
pub async fn a_list_holds_what_its_filter_lets_through(store: impl Records) {
    let mut dice = Dice::new(1);
    let population = Population::new(&mut dice);
    population.settle(&store).await;
    let (mut empty, mut several) = (0, 0);
    for turn in 0..200 {
        let filter = population.filter(&mut dice);
        let expected = population.meant(&filter, SystemTime::now());
        let limit = [1, 4, 7, 100][turn % 4];
        let listed = list(&store, &filter, limit).await;
        assert_eq!(listed, expected, "{filter:?}");
        empty += usize::from(listed.is_empty());
        several += usize::from(listed.len() > 1);
    }
    assert!(empty > 10 && several > 80, "{empty} and {several} of 200");
}

/// What becomes of a key, and how it stands before its expiry, from then on, and from the end of its
/// overlap on.
type Way = (fn(&mut KeyRecord), [KeyStatus; 3]);

fn expire(key: &mut KeyRecord) {
    key.expires_at = Some(time(100));
}

fn suspend(key: &mut KeyRecord) {
    key.suspended_at = Some(time(1_000));
}

fn revoke(key: &mut KeyRecord) {
    key.revoked_at = Some(time(1_000));
}

fn rotate(key: &mut KeyRecord) {
    key.successor = Some(Successor {
        key: key_id(100),
        since: time(0),
        until: time(200),
    });
}

/// The names on all pages, of that size.
async fn list(store: &impl Records, filter: &KeyFilter, limit: usize) -> Vec<KeyId> {
    let mut query = ListQuery::new(filter.clone()).limit(limit);
    let mut names = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.keys.len() <= limit);
        names.extend(page.keys.into_iter().map(|key| key.record.id));
        assert!(names.len() < 1000, "the pages do not end");
        match page.next {
            Some(next) => query = query.after(next),
            None => return names,
        }
    }
}

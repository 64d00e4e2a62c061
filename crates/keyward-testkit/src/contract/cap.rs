//! A cap counts the keys that it says, and no others.

use keyward_store::{
    Expectation, KeyFilter, KeyRecord, KeyStatus, ListQuery, Owner, Records, Statuses, Successor,
};

use super::population::{Dice, Population};
use super::sample::{insert, key_id, record, time};
use super::tools::{is_expectation, put};

/// A cap counts the keys of its tenant and owner alone.
pub async fn a_cap_counts_its_own_keys(store: impl Records) {
    let keys = [("acme", "a"), ("acme", "b"), ("other", "a"), ("acme", "a")];
    let keys = (0..).zip(keys).map(|(n, (tenant, owner))| {
        let mut record = record(n);
        record.tenant = tenant.into();
        record.owner = Some(Owner::new("user", owner));
        record
    });
    put(&store, keys).await;

    let of = |tenant: Option<&str>, owner: Option<&str>| {
        let mut filter = KeyFilter::usable();
        filter.tenant = tenant.map(Into::into);
        filter.owner = owner.map(|id| Owner::new("user", id));
        filter
    };
    counts(&store, of(None, None), 4).await;
    counts(&store, of(Some("acme"), None), 3).await;
    counts(&store, of(None, Some("a")), 3).await;
    counts(&store, of(Some("acme"), Some("a")), 2).await;
    counts(&store, of(Some("other"), Some("b")), 0).await;
    counts(&store, of(Some("acm"), None), 0).await;
}

/// A cap on usable keys counts neither revoked nor expired ones, nor those that have been replaced; a
/// key is expired from the instant of its expiry on, by the time of the change. Suspended keys count.
pub async fn a_cap_on_usable_keys_passes_over_the_others(store: impl Records) {
    let edits: [fn(&mut KeyRecord); 9] = [
        |_| {},
        |record| record.suspended_at = Some(time(0)),
        |record| record.revoked_at = Some(time(500)),
        |record| record.expires_at = Some(time(99)),
        |record| record.expires_at = Some(time(100)),
        |record| record.expires_at = Some(time(101)),
        |record| record.successor = Some(until(100)),
        |record| record.successor = Some(until(101)),
        |record| record.successor = Some(without_overlap()),
    ];
    let keys = (0..).zip(edits).map(|(n, edit)| {
        let mut record = record(n);
        edit(&mut record);
        record
    });
    put(&store, keys).await;
    counts(&store, KeyFilter::usable(), 3).await;
    counts(&store, KeyFilter::listed(), 6).await;
    counts(&store, KeyFilter::all(), 9).await;
    for (status, keys) in [
        (KeyStatus::Active, 2),
        (KeyStatus::Suspended, 1),
        (KeyStatus::Expired, 2),
        (KeyStatus::Retiring, 1),
        (KeyStatus::Retired, 2),
        (KeyStatus::Revoked, 1),
    ] {
        let of = KeyFilter::all().standing(Statuses::NONE.with(status));
        counts(&store, of, keys).await;
    }
}

/// A cap may be at another time than its change, which then has no say.
pub async fn a_cap_may_be_at_another_time(store: impl Records) {
    let mut record = record(1);
    record.expires_at = Some(time(200));
    put(&store, [record]).await;
    let usable = KeyFilter::usable();
    counts(&store, usable.clone(), 1).await;
    counts(&store, usable.clone().at(time(199)), 1).await;
    counts(&store, usable.clone().at(time(200)), 0).await;
    let expired = usable.standing(Statuses::NONE.with(KeyStatus::Expired));
    counts(&store, expired.clone(), 0).await;
    counts(&store, expired.at(time(200)), 1).await;
}

/// A cap counts exactly the keys that a list by the same filter holds, whatever the filter.
pub async fn a_cap_counts_what_its_filter_lets_through(store: impl Records) {
    let mut dice = Dice::new(2);
    let population = Population::new(&mut dice);
    population.settle(&store).await;
    for _turn in 0..100 {
        let filter = population.filter(&mut dice);
        let meant = population.meant(&filter, time(100)).len();
        counts(&store, filter, meant.try_into().unwrap()).await;
    }
}

/// A cap on a beginning counts the keys that are found by it, whatever their state and their tenant; and
/// a list of them holds these alone.
pub async fn a_cap_on_a_beginning_counts_its_own_keys(store: impl Records) {
    let keys = [
        Some("ctza_a1b2"),
        Some("ctza_a1b3"),
        None,
        Some("ctza_a1b2"),
    ];
    let keys = (0..).zip(keys).map(|(n, lookup)| {
        let mut record = record(n);
        record.tenant = format!("tenant {n}").into();
        record.lookup = lookup.map(ToOwned::to_owned);
        record.revoked_at = (n == 3).then(|| time(50));
        record
    });
    put(&store, keys).await;
    let of = |lookup: &str| KeyFilter::all().lookup(lookup);
    counts(&store, of("ctza_a1b2"), 2).await;
    counts(&store, KeyFilter::usable().lookup("ctza_a1b2"), 1).await;
    counts(&store, of("ctza_a1b2").tenant("tenant 0"), 1).await;
    counts(&store, of("ctza_a1b3"), 1).await;
    counts(&store, of("ctza_a1b"), 0).await;
    counts(&store, of("CTZA_A1B2"), 0).await;
    let listed = store.list(&ListQuery::new(of("ctza_a1b2"))).await.unwrap();
    let listed: Vec<_> = listed.keys.iter().map(|key| &key.record.id).collect();
    assert_eq!(listed, [&key_id(3), &key_id(0)]);
}

fn until(micros: u64) -> Successor {
    Successor {
        key: key_id(1_000),
        since: time(50),
        until: time(micros),
    }
}

/// The key is refused whatever the time is.
fn without_overlap() -> Successor {
    Successor {
        key: key_id(1_000),
        since: time(500),
        until: time(500),
    }
}

/// At microsecond 100 so many keys count: fewer than one more, and not fewer than that.
async fn counts(store: &impl Records, of: KeyFilter, keys: u64) {
    let fewer = |than| {
        let of = of.clone();
        let mut change = insert([]).expect(Expectation::Fewer { than, of });
        change.at = time(100);
        change
    };
    assert!(store.commit(&fewer(keys + 1)).await.is_ok(), "{of:?}");
    let outcome = store.commit(&fewer(keys)).await;
    assert!(is_expectation(&outcome, 0), "{of:?}");
}

//! Many keys of all sorts, and questions about them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use keyward_store::{
    KeptAs, KeyFilter, KeyHash, KeyId, KeyRecord, KeyStatus, Owner, PepperId, Records, Statuses,
    Successor, Use,
};

use super::sample::{digest, foreign, hmac, key_id, record, second};
use super::tools::put;

/// What falls out is the same in every run: the numbers of Steele, Lea and Flood's SplitMix.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub(super) const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let place = self.roll(of.len().try_into().unwrap());
        of[usize::try_from(place).unwrap()]
    }

    /// Once in `turns`.
    fn once_in<T>(&mut self, turns: u64, what: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(turns) == 0).then(|| what(self))
    }

    /// One of few times, so that many are the same.
    fn time(&mut self) -> SystemTime {
        second(self.roll(20)) + Duration::from_micros(self.roll(2))
    }
}

const TENANTS: [&str; 3] = ["acme", "acme-inc", "Acme"];
const OWNERS: [(&str, &str); 3] = [("user", "1"), ("user", "2"), ("team", "1")];
const ENVIRONMENTS: [&str; 3] = ["", "live", "test"];
const PREFIXES: [&str; 2] = ["acme_live", "acme_test"];
const TAGS: [&str; 4] = ["ci", "CI", "", "c,i"];
const LOOKUPS: [&str; 2] = ["ctza_a1b2", "ctza_a1b3"];
const PEPPERS: [&str; 2] = ["old", "new"];

/// Sixty keys, half of which were used.
pub(super) struct Population {
    /// In the order of a list.
    keys: Vec<KeyRecord>,
    uses: HashMap<KeyId, SystemTime>,
}

impl Population {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let mut keys: Vec<_> = (0..60).map(|n| key(n, dice)).collect();
        keys.sort_by_key(|key| Reverse((key.created_at, key.id.clone())));
        let uses = keys.iter().filter_map(|key| {
            let used = dice.once_in(2, |dice| second(dice.roll(20)))?;
            Some((key.id.clone(), used))
        });
        let uses = uses.collect();
        Self { keys, uses }
    }

    /// Writes them down, in an order of their own.
    pub(super) async fn settle(&self, store: &impl Records) {
        let mut keys = self.keys.clone();
        keys.sort_by_key(|key| digest(key.revision).word() ^ digest(0).word());
        put(store, keys).await;
        let uses = self.uses.iter();
        let uses = uses.map(|(key, at)| Use {
            key: key.clone(),
            at: *at,
        });
        store.touch(&uses.collect::<Vec<_>>()).await.unwrap();
    }

    /// A question, which is answered in more than one way.
    pub(super) fn filter(&self, dice: &mut Dice) -> KeyFilter {
        let mut filter = KeyFilter::all();
        filter.tenant = dice.once_in(3, |dice| match dice.roll(8) {
            0 => "nobody".into(),
            _ => dice.pick(&TENANTS).into(),
        });
        filter.owner = dice.once_in(3, owner);
        filter.environment = dice.once_in(6, |dice| dice.pick(&ENVIRONMENTS).to_owned());
        filter.prefix = dice.once_in(6, |dice| dice.pick(&PREFIXES).to_owned());
        filter.lookup = dice.once_in(6, |dice| dice.pick(&LOOKUPS).to_owned());
        filter.tag = dice.once_in(6, |dice| dice.pick(&TAGS).to_owned());
        filter.statuses = match dice.roll(4) {
            0 => Statuses::ALL,
            1 => Statuses::LISTED,
            2 => Statuses::USABLE,
            _ => {
                let some = KeyStatus::ALL.into_iter();
                some.filter(|_| dice.roll(2) == 0).collect()
            }
        };
        filter.at = dice.once_in(2, |dice| dice.time() + Duration::from_nanos(dice.roll(2)));
        for bound in [
            &mut filter.created_before,
            &mut filter.ends_before,
            &mut filter.over_before,
            &mut filter.used_since,
            &mut filter.idle_since,
        ] {
            // Between two of the times that a database keeps, too.
            let nanos = Duration::from_nanos(dice.pick(&[0, 1, 999]));
            *bound = dice.once_in(6, |dice| dice.time() + nanos);
        }
        filter.kept = dice.once_in(6, |dice| match dice.roll(4) {
            0 => KeptAs::Sha256,
            1 => KeptAs::Foreign,
            _ => KeptAs::Pepper(PepperId::new(dice.pick(&PEPPERS))),
        });
        filter
    }

    /// The answer at `now`, in the order of a list.
    pub(super) fn meant(&self, filter: &KeyFilter, now: SystemTime) -> Vec<KeyId> {
        let keys = self.keys.iter();
        let meant = keys.filter(|key| filter.admits(key, self.uses.get(&key.id).copied(), now));
        meant.map(|key| key.id.clone()).collect()
    }
}

fn key(n: u64, dice: &mut Dice) -> KeyRecord {
    let mut key = record(n);
    // So that the order of names is none of any other.
    key.id = key_id(n * 37 % 101);
    key.tenant = dice.pick(&TENANTS).into();
    key.owner = (dice.roll(3) > 0).then(|| owner(dice));
    key.environment = (dice.roll(3) > 0).then(|| dice.pick(&ENVIRONMENTS).to_owned());
    key.prefix = dice.pick(&PREFIXES).to_owned();
    key.lookup = dice.once_in(2, |dice| dice.pick(&LOOKUPS).to_owned());
    let tags = TAGS.into_iter().filter(|_| dice.roll(3) == 0);
    key.tags = tags.map(str::to_owned).collect();
    key.hash = hash(n, dice);
    key.created_at = dice.time();
    key.expires_at = dice.once_in(2, Dice::time);
    key.revoked_at = dice.once_in(4, Dice::time);
    key.suspended_at = dice.once_in(3, Dice::time);
    key.successor = dice.once_in(2, |dice| Successor {
        key: key_id(200),
        since: dice.time(),
        until: dice.time(),
    });
    key.revision = n + 1;
    key
}

fn hash(n: u64, dice: &mut Dice) -> KeyHash {
    match dice.roll(4) {
        0 => KeyHash::Sha256(digest(n)),
        1 => foreign("bcrypt", &format!("$2b$12${n}")),
        _ => hmac(dice.pick(&PEPPERS), digest(n)),
    }
}

fn owner(dice: &mut Dice) -> Owner {
    let (kind, id) = dice.pick(&OWNERS);
    Owner::new(kind, id)
}

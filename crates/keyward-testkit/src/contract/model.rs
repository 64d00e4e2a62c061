//! Through the service: whatever is done by whomever in whatever order, it goes as the documentation
//! says.
//!
//! A model of the service, written from its documentation and without a line of it in common, goes
//! through the same random operations. After each, everything is compared: the answer, every record,
//! every standing, the log, and what every credential ever issued is answered on two nodes. Besides, and
//! whatever the model says, nobody gives more than they have.
//!
//! The operations follow from a seed. `KEYWARD_MODEL_SEED` and `KEYWARD_MODEL_STEPS` in the environment
//! change it, and how many there are.

mod bounds;
mod carry;
mod cast;
mod change;
mod choose;
mod decide;
mod dice;
mod effects;
mod operation;
mod people;
mod places;
mod run;
mod someone;
mod verdict;
mod world;

use std::collections::BTreeSet;

use keyward_core::{Reach, ScopeRule};
use keyward_store::{KeyStore, Records};

use self::cast::Setting;
use self::run::{Course, Tally};

/// Keys are issued, listed, changed, replaced, suspended, revoked and deleted by operators, people and
/// keys, while tenants and owners come and go, as the documentation says.
pub async fn keys_live_as_the_model_says<S: Records + KeyStore>(store: S) {
    go(store, Setting::usual(8)).await;
}

/// The same on another way.
pub async fn keys_live_as_the_model_says_in_any_order<S: Records + KeyStore>(store: S) {
    go(store, Setting::usual(23)).await;
}

/// The same where a key has all scopes of its maker, unless fewer are chosen.
pub async fn keys_with_inherited_scopes_live_as_the_model_says<S: Records + KeyStore>(store: S) {
    let mut setting = Setting::usual(7);
    setting.rule = ScopeRule::Inherited;
    go(store, setting).await;
}

/// The same where a key has all scopes of its maker, and no others.
pub async fn keys_with_fixed_scopes_live_as_the_model_says<S: Records + KeyStore>(store: S) {
    let mut setting = Setting::usual(4);
    setting.rule = ScopeRule::Fixed;
    go(store, setting).await;
}

/// The same where keys belong to tenants unless said otherwise, and keys manage those of their owner
/// alone.
pub async fn keys_without_owner_live_as_the_model_says<S: Records + KeyStore>(store: S) {
    let mut setting = Setting::usual(9);
    setting.owned = false;
    setting.keys_manage = Some(Reach::Own);
    go(store, setting).await;
}

/// The same where keys manage no keys.
pub async fn keys_that_manage_none_live_as_the_model_says<S: Records + KeyStore>(store: S) {
    let mut setting = Setting::usual(3);
    setting.keys_manage = None;
    go(store, setting).await;
}

async fn go<S: Records + KeyStore>(store: S, mut setting: Setting) {
    let (seed, steps) = (number("KEYWARD_MODEL_SEED"), number("KEYWARD_MODEL_STEPS"));
    setting.seed = seed.unwrap_or(setting.seed);
    let course = Course::start(store, setting).await;
    let tally = course.go(steps.unwrap_or(STEPS).try_into().unwrap()).await;
    if seed.is_none() && steps.is_none() {
        covers(&setting, &tally);
    }
}

/// What never happens is not tried: everything is done, and refused for every reason.
fn covers(setting: &Setting, tally: &Tally) {
    assert_eq!(tally.len(), 14, "{tally:#?}");
    let answers: BTreeSet<&str> = tally.values().flatten().map(|(word, _)| &**word).collect();
    let by_keys = setting.keys_manage.map_or("", |_| TO_KEYS);
    let by_rule = match setting.rule {
        ScopeRule::Fixed => "fixed_scopes",
        _ => "",
    };
    let words = [ANSWERS, by_keys, by_rule];
    for word in words.iter().flat_map(|words| words.split_whitespace()) {
        assert!(
            answers.contains(word),
            "nothing was answered by {word}: {tally:#?}"
        );
    }
    for (operation, answers) in tally {
        assert!(
            answers.contains_key("done"),
            "{operation} was never done: {tally:#?}"
        );
    }
}

/// What a variable of the environment says, if it is there.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}

const STEPS: u64 = 700;
const ANSWERS: &str =
    "by_key invalid is not_entitled not_found nothingtoundo owner replaced replayed
    role scopes suspended tenant unknownrole";
/// What only keys that manage others are answered.
const TO_KEYS: &str = "expiry key_over limits networks own_key";

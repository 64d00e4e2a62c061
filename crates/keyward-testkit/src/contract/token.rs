//! Tokens: of many equal requests, one.

use std::sync::Arc;
use std::time::Duration;

use keyward_store::{
    AuditAction, Change, Expectation, KeyStore, Records, SubjectState, Token, Write,
};

use super::sample::{
    audit_of, digest, edit, insert, key_id, record, set, suspended, tenant, time, token,
};
use super::tools::{
    Follower, at_once, get, is_duplicate, is_expectation, is_used_for, put, whole_audit,
};

/// A change with a token that was used before is refused, and is told for which key; nothing of it is
/// written, whatever stands before the token or behind it.
pub async fn a_used_token_is_refused(store: impl Records) {
    put(&store, [record(1)]).await;
    let first = with(insert([record(2)]), [token("t", 2, time(100))]);
    store.commit(&first).await.unwrap();
    assert_eq!(get(&store, &key_id(2)).await, Some(record(2)));

    let (_, change) = edit(&record(1), false, |key| key.name = "new".to_owned());
    let change = with(change, [token("u", 3, time(100)), token("t", 3, time(200))]);
    let mut change = change
        .write(Write::Insert(record(3)))
        .audit(audit_of(&record(3), AuditAction::Issued));
    let standing = set(&tenant("acme-inc"), &suspended(1));
    change.writes.extend(standing.writes);
    for _turn in 0..2 {
        let outcome = store.commit(&change).await;
        assert!(is_used_for(&outcome, 2), "{outcome:?}");
        change.writes.reverse();
    }
    assert_eq!(get(&store, &key_id(1)).await, Some(record(1)));
    assert_eq!(get(&store, &key_id(3)).await, None);
    assert_eq!(whole_audit(&store).await, []);
    let standing = store.standing(&tenant("acme-inc")).await.unwrap();
    assert_eq!(standing, SubjectState::default());
    // Its other token is not kept either.
    let other = with(insert([]), [token("u", 4, time(100))]);
    store.commit(&other).await.unwrap();
}

/// A used token is looked at before anything else, so that whoever repeats a request hears of it,
/// whatever has changed since: of several, the first.
pub async fn tokens_come_before_expectations(store: impl Records) {
    put(&store, [record(1)]).await;
    for (n, text) in (1..).zip(["t", "u", "v"]) {
        let used = with(insert([]), [token(text, n, time(100))]);
        store.commit(&used).await.unwrap();
    }
    for (n, texts) in [
        (1, ["t", "u", "v"]),
        (3, ["v", "u", "t"]),
        (2, ["w", "u", "v"]),
    ] {
        let (key, is) = (key_id(9), 1);
        let change = insert([record(1)]).expect(Expectation::Revision { key, is });
        let change = with(change, texts.map(|text| token(text, 9, time(100))));
        let outcome = store.commit(&change).await;
        assert!(is_used_for(&outcome, n), "{outcome:?}");
    }
}

/// A token is another one in another scope, and with another text; texts are told apart byte by byte,
/// be they as long as 255 bytes, and the scope 1,024.
pub async fn another_scope_or_text_is_another_token(store: impl Records) {
    let long: String = (0..16).map(|n| digest(n).to_hex()).collect();
    let names = [
        ("a", "b"),
        ("a", "B"),
        ("A", "b"),
        ("a", ""),
        ("", "a"),
        ("", ""),
        ("ab", "c"),
        ("a", "bc"),
        ("a b", "c"),
        ("a", "b c"),
        ("租户", "'\"\\%_ \u{e9}"),
        ("租户", "'\"\\%_ e\u{301}"),
        (&long, &long[..255]),
        (&long, &long[..254]),
    ];
    for (n, (scope, text)) in (0..).zip(names) {
        let token = Token::new(scope, text, key_id(n), time(100));
        let change = with(insert([]), [token]);
        let outcome = store.commit(&change).await;
        assert!(outcome.is_ok(), "{scope} {text}: {outcome:?}");
    }
    for (n, (scope, text)) in (0..).zip(names) {
        let token = Token::new(scope, text, key_id(99), time(100));
        let outcome = store.commit(&with(insert([]), [token])).await;
        assert!(is_used_for(&outcome, n), "{scope} {text}: {outcome:?}");
    }
}

/// From the instant at which the time of a token is over, another takes its place, for another key and
/// with a time of its own. The time of the change tells.
pub async fn a_token_whose_time_is_over_is_free(store: impl Records) {
    let commit = async |at, n, until| {
        let mut change = with(insert([]), [token("t", n, time(until))]);
        change.at = time(at);
        store.commit(&change).await
    };
    commit(0, 1, 100).await.unwrap();
    let refused = commit(99, 2, 200).await;
    assert!(is_used_for(&refused, 1), "{refused:?}");
    commit(100, 2, 200).await.unwrap();
    let refused = commit(199, 3, 300).await;
    assert!(is_used_for(&refused, 2), "{refused:?}");
    // One whose time was over when it was written bars nobody.
    commit(200, 3, 150).await.unwrap();
    commit(150, 4, 300).await.unwrap();
    let refused = commit(299, 5, 400).await;
    assert!(is_used_for(&refused, 4), "{refused:?}");
}

/// A token stays until its time is over, whatever others come and go.
pub async fn a_token_stays_until_its_time_is_over(store: impl Records) {
    let day = Duration::from_secs(24 * 3600);
    let lasting = |n| with(insert([]), [token("lasting", n, time(0) + day)]);
    store.commit(&lasting(1)).await.unwrap();
    for n in 0..50 {
        let mut change = with(insert([]), [token(&n.to_string(), n, time(n))]);
        change.at = time(n);
        store.commit(&change).await.unwrap();
    }
    let mut late = lasting(2);
    late.at = time(0) + day - Duration::from_micros(1);
    let refused = store.commit(&late).await;
    assert!(is_used_for(&refused, 1), "{refused:?}");
}

/// The token of a change that is refused for another reason is not kept.
pub async fn a_token_of_a_refused_change_is_not_kept(store: impl Records) {
    put(&store, [record(1)]).await;
    let duplicate = with(insert([]), [token("t", 1, time(100))]);
    let duplicate = duplicate.write(Write::Insert(record(1)));
    assert!(is_duplicate(&store.commit(&duplicate).await));
    let stale = with(insert([]), [token("t", 2, time(100))]);
    let (key, is) = (key_id(1), 7);
    let stale = stale.expect(Expectation::Revision { key, is });
    assert!(is_expectation(&store.commit(&stale).await, 0));
    let free = with(insert([]), [token("t", 3, time(100))]);
    store.commit(&free).await.unwrap();
    let outcome = store.commit(&free).await;
    assert!(is_used_for(&outcome, 3), "{outcome:?}");
}

/// A change with a token whose place was free keeps the one that was there, if it is refused.
pub async fn a_refused_change_leaves_the_token_that_was_there(store: impl Records) {
    let old = with(insert([]), [token("t", 1, time(100))]);
    store.commit(&old).await.unwrap();
    let mut refused = with(insert([]), [token("t", 2, time(300))]);
    refused
        .writes
        .extend([Write::Insert(record(1)), Write::Insert(record(1))]);
    refused.at = time(100);
    assert!(is_duplicate(&store.commit(&refused).await));
    let outcome = store.commit(&old).await;
    assert!(is_used_for(&outcome, 1), "{outcome:?}");
}

/// Two equal tokens in one change are one too many.
pub async fn equal_tokens_of_one_change_are_refused(store: impl Records) {
    let tokens = [token("t", 1, time(100)), token("t", 2, time(100))];
    let outcome = store.commit(&with(insert([]), tokens)).await;
    assert!(is_used_for(&outcome, 1), "{outcome:?}");
    let free = with(insert([]), [token("t", 3, time(100))]);
    store.commit(&free).await.unwrap();
}

/// Of fifty changes at once with the same token exactly one is made, and all others are told for which
/// key.
pub async fn one_of_fifty_equal_tokens_wins(store: impl Records) {
    let store = Arc::new(store);
    for (turn, at) in [(0, 0), (1, 1_000)] {
        let outcomes = at_once((0..50).map(|n| {
            let n = turn * 100 + n;
            let mut change = with(insert([record(n)]), [token("t", n, time(at + 1_000))]);
            change.at = time(at);
            let store = store.clone();
            async move { (n, store.commit(&change).await) }
        }))
        .await;
        let won: Vec<_> = outcomes.iter().filter(|(_, done)| done.is_ok()).collect();
        assert_eq!(won.len(), 1);
        let winner = won[0].0;
        for (n, outcome) in &outcomes {
            let made = get(&*store, &key_id(*n)).await.is_some();
            assert_eq!(made, *n == winner);
            assert!(made || is_used_for(outcome, winner), "{outcome:?}");
        }
    }
}

/// Changes with the same tokens in another order all get an answer, and exactly one is made.
pub async fn tokens_in_any_order_do_not_block_each_other(store: impl Records) {
    let store = Arc::new(store);
    for turn in 0..5 {
        let outcomes = at_once((0..20).map(|n| {
            let mut change = insert([]);
            for text in 0..4 {
                let token = token(&format!("{turn} {text}"), n, time(100));
                change.writes.push(Write::Token(token));
            }
            if n % 2 == 1 {
                change.writes.reverse();
            }
            let store = store.clone();
            async move { (n, store.commit(&change).await) }
        }))
        .await;
        let won: Vec<_> = outcomes.iter().filter(|(_, done)| done.is_ok()).collect();
        assert_eq!(won.len(), 1);
        let winner = won[0].0;
        let lost = outcomes.iter().filter(|(n, _)| *n != winner);
        for (_, outcome) in lost {
            assert!(is_used_for(outcome, winner), "{outcome:?}");
        }
    }
}

/// The feed does not tell of tokens, which bear on no key.
pub async fn a_token_is_not_told<S: Records + KeyStore>(store: S) {
    let mut feed = Follower::start(&store).await;
    let change = with(insert([]), [token("t", 1, time(100))]);
    store.commit(&change).await.unwrap();
    assert_eq!(feed.poll(&store).await, []);
    let change = with(insert([record(1)]), [token("u", 1, time(100))]);
    store.commit(&change).await.unwrap();
    assert_eq!(feed.poll(&store).await.len(), 1);
}

/// The change, with tokens as its next rows.
fn with(mut change: Change, tokens: impl IntoIterator<Item = Token>) -> Change {
    change.writes.extend(tokens.into_iter().map(Write::Token));
    change
}

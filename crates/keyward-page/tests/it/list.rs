//! The list: what it shows to whom, its filters, search and pages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward::{
    Alphabet, Change, Digest, KeyFilter, KeyFormat, KeyHash, KeyId, KeyRecord, Keyward, ListQuery,
    NewKey, Owner, Policy, Reach, Records, Role, Use, Write,
};
use keyward_memory::MemoryStore;

use crate::support::{Client, READ, actor, app, issue, keys_in, page};

const KEYS: &str = "/settings/keys";

#[tokio::test]
async fn the_empty_list_says_what_to_do() {
    let (_, ada) = app().await;
    let list = ada.get(KEYS).await;
    assert!(list.body.contains("No API keys yet") && list.body.contains("?new"));
    let auditor = ada.of("eve:auditor@acme").get(KEYS).await;
    assert!(auditor.body.contains("No API keys yet") && !auditor.body.contains("?new"));
}

#[tokio::test]
async fn everyone_sees_what_is_theirs_and_does_what_they_may() {
    let (keys, ada) = app().await;
    let of_ada = issue(&keys, "of ada").await.key;
    let ben = actor("ben:member@acme").unwrap();
    keys.acting_as(&ben)
        .issue(NewKey::named("of ben"))
        .await
        .unwrap();
    let other = actor("mel:admin@other").unwrap();
    keys.acting_as(&other)
        .issue(NewKey::named("of mel"))
        .await
        .unwrap();

    let admin = ada.get(KEYS).await.body;
    assert!(admin.contains("of ada") && admin.contains("of ben") && !admin.contains("of mel"));
    assert!(admin.contains("?revoke") && admin.contains("?rotate") && admin.contains("?new"));
    let own = ada.get("/settings/keys?whose=own").await.body;
    assert!(own.contains("of ada") && !own.contains("of ben"));
    let ben = ada.of("ben:member@acme");
    let member = ben.get(KEYS).await.body;
    assert!(!member.contains("of ada") && member.contains("of ben"));
    let auditor = ada.of("eve:auditor@acme");
    let looks = auditor.get(KEYS).await.body;
    assert!(looks.contains("of ada") && looks.contains("You can look at these keys"));
    for button in ["?revoke", "?rotate", "?new", "method=\"post\""] {
        assert!(!looks.contains(button), "{button}");
    }

    let of_ada = format!("{KEYS}/{}", of_ada.id);
    assert_eq!(ada.get(&of_ada).await.status, 200);
    let looked_at = auditor.get(&format!("{of_ada}?revoke")).await;
    assert_eq!(looked_at.status, 200);
    assert!(!looked_at.body.contains("method=\"post\""));
    assert_eq!(
        auditor.post(&format!("{of_ada}/revoke"), "").await.status,
        403
    );
    for stranger in ["ben:member@acme", "mel:admin@other"] {
        let stranger = ada.of(stranger);
        let there = stranger.get(&of_ada).await;
        let missing = stranger.get("/settings/keys/nothing").await;
        assert_eq!((there.status, &there.body), (404, &missing.body));
        for what in ["rotate", "revoke", "suspend", "resume", "undo"] {
            let answer = stranger.post(&format!("{of_ada}/{what}"), "").await;
            assert_eq!(answer.status, 404, "{what}");
        }
    }
    let nobody = ada.of("ann:guest@acme");
    assert_eq!(nobody.get(KEYS).await.status, 403);
}

#[tokio::test]
async fn a_thousand_keys_are_paged_through_and_found() {
    let (keys, ada) = app().await;
    let admin = actor("ada:admin@acme").unwrap();
    for n in 0..1_000 {
        let new = NewKey::named(format!("Deploy {n:03}")).scopes([READ]);
        keys.acting_as(&admin).issue(new).await.unwrap();
    }
    let mut names = BTreeSet::new();
    let mut path = KEYS.to_owned();
    let mut pages = 0;
    loop {
        let list = ada.get(&path).await;
        pages += 1;
        let rows: Vec<_> = list.body.split("<bdi>Deploy ").skip(1).collect();
        names.extend(rows.iter().map(|row| row[..3].to_owned()));
        let next = list.body.split_once("rel=\"next\"");
        let Some((before, _)) = next else { break };
        let href = before.rsplit_once("href=\"").unwrap().1;
        path = href.trim_end_matches(['"', ' ']).replace("&#38;", "&");
    }
    assert_eq!((names.len(), pages), (1_000, 20));

    let found = ada.get("/settings/keys?q=deploy+77").await.body;
    assert_eq!(
        found.matches("<tr role=\"row\">").count(),
        11,
        "and the head"
    );
    let none = ada.get("/settings/keys?q=deploy+x").await.body;
    assert!(none.contains("No key fits"));
    // A page of what was found goes on where it ended.
    let first = ada.get("/settings/keys?q=deploy+0").await;
    assert!(
        first.body.contains("q=deploy+0&#38;after="),
        "{}",
        first.body
    );
}

#[tokio::test]
async fn a_search_through_very_many_keys_goes_on_when_asked_to() {
    let store = Arc::new(MemoryStore::default());
    let keys = keys_in(Arc::clone(&store)).await;
    let mut change = Change::new(SystemTime::now());
    for n in 0..5_500_u64 {
        let hash = KeyHash::Sha256(Digest::sha256(&n.to_le_bytes()));
        let mut key = KeyRecord::new(KeyId::generate(), "acme", hash);
        key.name = if n == 0 { "needle" } else { "hay" }.to_owned();
        key.created_at = SystemTime::UNIX_EPOCH + Duration::from_secs(n);
        change = change.write(Write::Insert(key));
    }
    store.commit(&change).await.unwrap();
    let ada = Client::new(page(&keys).at(KEYS));
    let first = ada.get("/settings/keys?q=needle").await.body;
    assert!(first.contains("The newest 5000 keys were searched."));
    assert!(!first.contains("<bdi>needle</bdi>"));
    let (before, _) = first.split_once("rel=\"next\"").unwrap();
    let href = before.rsplit_once("href=\"").unwrap().1;
    let href = href.trim_end_matches(['"', ' ']).replace("&#38;", "&");
    let second = ada.get(&href).await.body;
    assert!(second.contains("<bdi>needle</bdi>") && !second.contains("rel=\"next\""));
}

#[tokio::test]
async fn a_key_is_found_by_its_hint_and_no_more_of_it_is_kept() {
    let bare = KeyFormat::builder("ctza")
        .without_public_id()
        .secret(Alphabet::Hex, 40)
        .without_checksum();
    for format in [KeyFormat::new("acme_live").unwrap(), bare.build().unwrap()] {
        let policy = Policy::new().role(Role::named("admin").grants([READ]).manages(Reach::Tenant));
        let keys = Keyward::builder(MemoryStore::default())
            .format(format)
            .policy(policy)
            .start()
            .await
            .unwrap();
        let ada = Client::new(page(&keys).at(KEYS));
        let issued = issue(&keys, "ci").await;
        issue(&keys, "other").await;
        ada.watch.issued(&issued);
        let (secret, hint) = (issued.secret.expose(), &issued.key.hint);
        let short = format!("{KEYS}?q={hint}");
        for pasted in [
            secret.to_owned(),
            format!("Bearer+{secret}"),
            secret[..hint.len() + 3].to_owned(),
        ] {
            let answer = ada.get(&format!("{KEYS}?q={pasted}&new")).await;
            let to = (answer.status, answer.header("location"));
            assert_eq!(to, (303, &*short));
            assert!(!answer.body.contains(&secret[hint.len()..]));
        }
        let answer = ada
            .get(&format!("{KEYS}?q={secret}&status=all&after=1.a"))
            .await;
        let whole = format!("{KEYS}?q={hint}&status=all&after=1.a");
        assert_eq!(answer.header("location"), whole);
        let found = ada.get(&short).await;
        assert_eq!(found.status, 200);
        assert!(found.body.contains("<bdi>ci</bdi>") && !found.body.contains("<bdi>other</bdi>"));
        // A browser that cuts what is pasted leaves the hint whole.
        let longest = format!("name=\"q\" maxlength=\"{}\"", hint.len().max(16));
        assert!(found.body.contains(&longest));
    }
}

#[tokio::test]
async fn little_is_kept_of_any_text_that_is_searched_for() {
    let (keys, ada) = app().await;
    issue(&keys, "ci").await;
    let answer = ada
        .get(&format!("{KEYS}?q=0123456789abcdef0123456789"))
        .await;
    let to = (answer.status, answer.header("location"));
    assert_eq!(to, (303, "/settings/keys?q=0123456789abcdef"));
    let padded = ada.get(&format!("{KEYS}?q=+0123456789abcde+f")).await;
    assert_eq!(
        padded.header("location"),
        "/settings/keys?q=0123456789abcde"
    );
    assert_eq!(ada.get(padded.header("location")).await.status, 200);
}

#[tokio::test]
async fn keys_are_filtered_by_how_they_stand() {
    let (keys, ada) = app().await;
    for (name, what) in [("good", ""), ("paused", "suspend"), ("gone", "revoke")] {
        let key = issue(&keys, name).await.key;
        match what {
            "suspend" => keys.suspend(&key.id).await.unwrap(),
            "revoke" => keys.revoke(&key.id).await.unwrap(),
            _ => {}
        }
    }
    for (query, names) in [
        ("", &["good", "paused"][..]),
        ("?status=all", &["good", "paused", "gone"]),
        ("?status=revoked", &["gone"]),
        ("?status=active", &["good"]),
        ("?status=nonsense", &["good", "paused"]),
    ] {
        let list = ada.get(&format!("{KEYS}{query}")).await.body;
        for name in ["good", "paused", "gone"] {
            let is_there = list.contains(&format!("<bdi>{name}</bdi>"));
            assert_eq!(is_there, names.contains(&name), "{query} {name}");
        }
    }
}

#[tokio::test]
async fn keys_that_nobody_uses_are_pointed_out() {
    let store = Arc::new(MemoryStore::default());
    let keys = keys_in(Arc::clone(&store)).await;
    let day = Duration::from_secs(24 * 3600);
    let page = page(&keys).unused_after(Duration::from_secs(1));
    let ada = Client::new(page.at(KEYS));
    let idle = issue(&keys, "idle").await.key;
    let busy = issue(&keys, "busy").await.key;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let at = SystemTime::now() + day;
    store.touch(&[Use { key: busy.id, at }]).await.unwrap();
    let list = ada.get("/settings/keys?unused=yes").await.body;
    assert!(list.contains("<bdi>idle</bdi>") && !list.contains("<bdi>busy</bdi>"));
    assert!(list.contains("Unused for 0 days"));
    let details = ada.get(&format!("{KEYS}/{}", idle.id)).await.body;
    assert!(details.contains("If it is not needed, revoke it."));
    let all = ada.get(KEYS).await.body;
    assert_eq!(all.matches("Unused for 0 days").count(), 1);
}

#[tokio::test]
async fn strange_filters_and_places_do_no_harm() {
    let (keys, ada) = app().await;
    issue(&keys, "ci").await;
    for query in [
        "?after=x",
        "?after=99999999999999999999999999999999999999.a",
        "?after=-99999999999999999999.a",
        "?q=%00",
        "?q=%FF%FE",
        "?status=%27%3B--&whose=all&unused=maybe",
        "?done=%3Cscript%3E",
        "?tenant=other&limit=-1",
    ] {
        let list = ada.get(&format!("{KEYS}{query}")).await;
        assert_eq!(list.status, 200, "{query}");
        assert!(!list.body.contains("<script>"), "{query}");
    }
}

#[tokio::test]
async fn whoever_has_no_plan_can_look_and_not_create() {
    let (keys, ada) = app().await;
    issue(&keys, "ci").await;
    keys.tenant("acme").entitle(false).await.unwrap();
    let list = ada.get("/settings/keys?new").await.body;
    assert!(list.contains("<bdi>ci</bdi>") && list.contains("No keys can be created now"));
    assert!(!list.contains("name=\"token\""));
    assert_eq!(ada.post(KEYS, "name=b").await.status, 403);
    keys.tenant("acme").entitle(true).await.unwrap();
    keys.owner(Owner::new("user", "ada"))
        .ceiling(Some([READ].into_iter().collect()))
        .await
        .unwrap();
    let form = ada.get("/settings/keys?new").await.body;
    assert!(form.contains("value=\"orders:read\"") && !form.contains("orders:write"));
    assert_eq!(
        keys.list(&ListQuery::new(KeyFilter::all()))
            .await
            .unwrap()
            .keys
            .len(),
        1
    );
}

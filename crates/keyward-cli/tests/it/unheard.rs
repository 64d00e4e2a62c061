//! What is done where nobody reads the output: a pipe that was closed.

use serde_json::Value;

use crate::support::{Site, some_id};

#[tokio::test]
async fn every_key_is_changed() {
    let site = Site::fresh().await;
    let ids: Vec<String> = ["a", "b", "c"].map(|name| site.issue(name, &[]).0).into();
    let [a, b, c] = &ids[..] else { unreachable!() };
    for more in [&[][..], &["--json"]] {
        for (command, status) in [("suspend", "suspended"), ("resume", "active")] {
            let arguments = [&[command, a, b, c], more].concat();
            let ran = site.unheard(&arguments).exits(1);
            ran.notes("it is done, but what became of it could not all be written");
            for id in &ids {
                assert_eq!(site.status(id), status, "{command} {more:?}");
            }
        }
    }
    // What fails is told of still.
    let nobody = some_id();
    site.unheard(&["revoke", a, &nobody, b])
        .exits(1)
        .notes("1 of 3 keys are not revoked");
    // A node that fell silent, which a receipt strikes off the register.
    site.sql(
        "INSERT INTO keyward.nodes (id, name, lease_ms, beat, first_beat, seen_at) VALUES \
         (gen_random_uuid(), 'api-1', 5000, 1, 1, now() - interval '1 hour')",
    )
    .await;
    site.run(&["list"]).done();
    assert_eq!(silent_nodes(&site).await, 1);
    site.unheard(&["revoke", c, "--everywhere"]).exits(1);
    for id in &ids {
        assert_eq!(site.status(id), "revoked");
    }
    assert_eq!(silent_nodes(&site).await, 0);
}

async fn silent_nodes(site: &Site) -> i64 {
    let mut connection = site.database.connect().await.unwrap();
    let nodes = sqlx::query_scalar("SELECT count(*) FROM keyward.nodes WHERE name = 'api-1'");
    nodes.fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn changes_of_other_kinds_are_not_passed_off_as_told() {
    let site = Site::empty().await;
    site.unheard(&["doctor"]).exits(1).notes("checks failed");
    site.unheard(&["init"]).exits(1).notes("it is done");
    let (id, _) = site.issue("ci", &[]);
    site.run(&["rotate", &id, "--overlap", "1h"]).done();
    site.unheard(&["rotate", &id, "--undo"])
        .exits(1)
        .notes("it is done");
    assert_eq!(site.status(&id), "active");
    let bulk = ["bulk-revoke", "--tenant", "acme"];
    // Nothing is changed by that.
    site.unheard(&[&bulk[..], &["--dry-run"]].concat()).done();
    assert_eq!(site.status(&id), "active");
    site.sql(
        "INSERT INTO keyward.nodes (id, name, lease_ms, beat, first_beat, seen_at) VALUES \
         (gen_random_uuid(), 'api-1', 5000, 1, 1, now() - interval '1 hour')",
    )
    .await;
    site.unheard(&[&bulk[..], &["--yes", "--everywhere"]].concat())
        .exits(1)
        .notes("it is done");
    assert_eq!(site.status(&id), "revoked");
    assert_eq!(silent_nodes(&site).await, 0);
    // To look is not to change.
    site.unheard(&["list", "--all"]).done();
}

#[tokio::test]
async fn every_line_is_imported() {
    let site = Site::fresh().await;
    let line = |number: u8| {
        let digest = keyward::Digest::sha256(&[number]).to_hex();
        format!(r#"{{"tenant":"acme","hash":"{digest}"}}"#)
    };
    let import = ["import", "-", "--json"];
    let lines: Vec<String> = (0..50).map(line).collect();
    let bad = format!("{{}}\n{{}}\n{}", lines.join("\n"));
    site.unheard_fed(&import, bad.as_bytes())
        .exits(1)
        .notes("2 lines are bad");
    let listed = site.run(&["list", "--json", "--limit", "100"]).done();
    assert_eq!(listed.objects().len(), 50);
    site.unheard_fed(&import, line(50).as_bytes())
        .exits(1)
        .notes("it is done");
    let listed = site.run(&["list", "--json", "--limit", "100"]).done();
    assert_eq!(listed.objects().len(), 51);
}

/// Nobody has it then.
#[tokio::test]
async fn a_key_that_cannot_be_printed_is_revoked() {
    let site = Site::fresh().await;
    let issue = ["issue", "ci", "--tenant", "acme"];
    site.unheard(&issue).exits(1).notes("was revoked");
    let listed = site.run(&["list", "--all", "--json"]).done().object();
    assert_eq!(listed["status"], "revoked");
}

/// The old key is in use, and nobody has the new one.
#[tokio::test]
async fn a_rotation_that_cannot_be_printed_is_undone_while_it_can_be() {
    let site = Site::fresh().await;
    for more in [&[][..], &["--json"]] {
        let (id, old) = site.issue("ci", &[]);
        let arguments = [&["rotate", &id, "--overlap", "24h"], more].concat();
        let ran = site.unheard(&arguments).exits(1);
        ran.notes(&format!("the rotation is undone: {id} stays, and"));
        site.fed(&["verify"], old.as_bytes()).done();
        let new = replacement(&site, &id);
        assert_eq!(new["status"], "revoked");
        // It can be rotated again.
        site.run(&arguments).done();
    }
}

/// The old key has ended, so the new one is what another rotation starts from.
#[tokio::test]
async fn a_rotation_without_overlap_that_cannot_be_printed_leaves_a_key_to_rotate() {
    let site = Site::fresh().await;
    let (id, old) = site.issue("ci", &[]);
    let ran = site.unheard(&["rotate", &id]).exits(1);
    let new = replacement(&site, &id);
    assert_eq!(new["status"], "active");
    let new = new["id"].as_str().unwrap();
    ran.notes(&format!("the secret of {new} is lost"))
        .notes(&format!("`keyward rotate {new}` gives another one"));
    site.fed(&["verify"], old.as_bytes()).exits(3);
    let rotated = site.run(&["rotate", new]).done();
    site.fed(&["verify"], rotated.out.as_bytes()).done();
}

fn replacement(site: &Site, id: &str) -> Value {
    let listed = site.run(&["list", "--all", "--json"]).done().objects();
    let mut replacements = listed.into_iter().filter(|key| key["rotatedFrom"] == *id);
    replacements.next().unwrap()
}

/// Scripts go by the exit code.
#[tokio::test]
async fn a_bad_key_is_not_taken_for_a_good_one() {
    let site = Site::fresh().await;
    let (id, secret) = site.issue("ci", &[]);
    let verify = |more: &[&str]| site.unheard_fed(&[&["verify"], more].concat(), secret.as_bytes());
    verify(&[]).done();
    site.run(&["revoke", &id]).done();
    verify(&[]).exits(3);
    verify(&["--json"]).exits(3);
}

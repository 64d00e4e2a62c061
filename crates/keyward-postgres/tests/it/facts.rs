//! Whatever is changed of a key or a standing, every node answers by what is there.

use std::future::poll_fn;
use std::time::Duration;

use keyward_core::Reason;
use keyward_store::Limit;

use crate::psql::REPLICATE;
use crate::support::{Answer, HEALED, Node, READ, REVOKED, SOON, quoted, run, within};
use crate::world::World;

#[tokio::test]
async fn narrowed_scopes_hold() {
    let world = World::start().await;
    let key = &world.keys[0];
    let id = quoted(&key.key.id);
    let sql = format!("UPDATE keyward.keys SET scopes = '{{}}' WHERE id = {id}");
    world.site.sql(&sql).await;
    for node in &world.nodes {
        within(SOON, "the scope is gone", async || {
            node.principal(&key.secret).await.scopes().is_empty()
        })
        .await;
    }
}

#[tokio::test]
async fn a_ceiling_that_is_set_in_psql_holds_and_goes() {
    let world = World::start().await;
    let key = &world.keys[0];
    let may_read = async |node: &Node| {
        let principal = node.principal(&key.secret).await;
        principal.require(&READ).is_ok()
    };
    let set = "INSERT INTO keyward.tenants (id, ceiling) VALUES ('acme', '{}')";
    for (sql, allowed) in [(set, false), ("TRUNCATE keyward.tenants", true)] {
        world.site.sql(sql).await;
        for node in &world.nodes {
            let what = format!("{sql} is heeded");
            within(SOON, &what, async || may_read(node).await == allowed).await;
        }
    }
}

/// The owner's role, before that of the tenant, before that which the key was issued under.
#[tokio::test]
async fn a_role_that_is_set_in_psql_holds_and_goes() {
    let world = World::start().await;
    let key = &world.keys[0];
    let owner = "INSERT INTO keyward.owners (kind, id, role) VALUES ('user', '7', 'editor')";
    for (sql, role) in [
        ("UPDATE keyward.keys SET role = 'reader'", Some("reader")),
        (owner, Some("editor")),
        ("UPDATE keyward.owners SET role = NULL", Some("reader")),
        ("UPDATE keyward.keys SET role = NULL", None),
    ] {
        world.site.sql(sql).await;
        for node in &world.nodes {
            within(SOON, sql, async || {
                node.principal(&key.secret).await.role() == role
            })
            .await;
        }
    }
}

#[tokio::test]
async fn limits_that_are_set_in_psql_hold() {
    let world = World::start().await;
    let sql = "UPDATE keyward.keys SET limits = '{10/1000, 5000/86400000}'";
    world.site.sql(sql).await;
    let limit = |requests, seconds| Limit::new(requests, Duration::from_secs(seconds)).unwrap();
    let limits = [limit(10, 1), limit(5_000, 86_400)];
    for (node, key) in world.pairs() {
        within(SOON, "the limits are there", async || {
            node.principal(&key.secret).await.limits() == limits
        })
        .await;
    }
}

#[tokio::test]
async fn a_key_that_psql_gives_a_successor_is_refused_when_it_retires() {
    let world = World::start().await;
    let retired = Answer::Refused(Reason::Retired);
    let sql = "UPDATE keyward.keys SET successor = 'next', rotated_at = now(), \
        retires_at = now() + interval '2 seconds'";
    world.site.sql(sql).await;
    for (node, key) in world.pairs() {
        within(SOON, "the successor is told", async || {
            match node.answer(&key.secret).await {
                Answer::Accepted => node.principal(&key.secret).await.successor().is_some(),
                answer => answer == retired,
            }
        })
        .await;
    }
    for (node, key) in world.pairs() {
        node.comes_to(&key.secret, retired, HEALED).await;
    }
    let undo = "UPDATE keyward.keys SET successor = NULL, rotated_at = NULL, retires_at = NULL";
    world.site.sql(undo).await;
    for (node, key) in world.pairs() {
        node.comes_to(&key.secret, Answer::Accepted, SOON).await;
    }
}

#[tokio::test]
async fn a_key_belongs_to_the_tenant_that_psql_gave_it() {
    let world = World::start().await;
    world
        .site
        .sql("UPDATE keyward.keys SET tenant = 'other'")
        .await;
    for (node, key) in world.pairs() {
        within(SOON, "the tenant is another", async || {
            node.principal(&key.secret).await.tenant() == "other"
        })
        .await;
    }
}

#[tokio::test]
async fn another_digest_is_another_secret() {
    let world = World::start().await;
    world
        .site
        .sql("UPDATE keyward.keys SET digest = sha256(digest)")
        .await;
    for (node, key) in world.pairs() {
        let reason = match key.key.public_id {
            Some(_) => Reason::WrongSecret,
            None => Reason::Unknown,
        };
        node.comes_to(&key.secret, Answer::Refused(reason), SOON)
            .await;
    }
}

#[tokio::test]
async fn a_key_under_another_public_id_is_not_found_under_the_old_one() {
    let world = World::start().await;
    let sql = "UPDATE keyward.keys SET public_id = reverse(public_id) WHERE public_id IS NOT NULL";
    world.site.sql(sql).await;
    for node in &world.nodes {
        let unknown = Answer::Refused(Reason::Unknown);
        node.comes_to(&world.keys[0].secret, unknown, SOON).await;
        assert!(node.accepts(&world.keys[1].secret).await);
    }
}

#[tokio::test]
async fn a_renamed_key_goes_by_its_new_name() {
    let world = World::start().await;
    world
        .site
        .sql("UPDATE keyward.keys SET id = 'new-' || id")
        .await;
    for (node, key) in world.pairs() {
        let name = format!("new-{}", key.key.id);
        within(SOON, "the key has its new name", async || {
            node.principal(&key.secret).await.key_id().as_str() == name
        })
        .await;
    }
    world
        .site
        .sql("UPDATE keyward.keys SET revoked_at = now()")
        .await;
    for (node, key) in world.pairs() {
        node.comes_to(&key.secret, REVOKED, SOON).await;
    }
}

#[tokio::test]
async fn standings_that_are_truncated_are_good_again() {
    for setup in [&[][..], &[REPLICATE]] {
        let world = World::start().await;
        let suspend = "INSERT INTO keyward.tenants (id, suspended) VALUES ('acme', true); \
            INSERT INTO keyward.owners (kind, id, suspended) VALUES ('user', '7', true)";
        world.site.sql(suspend).await;
        for (node, key) in world.pairs() {
            let suspended = Answer::Refused(Reason::TenantSuspended);
            node.comes_to(&key.secret, suspended, SOON).await;
        }
        let mut session = world.site.database.connect().await.unwrap();
        run(&mut session, setup).await;
        for (truncate, next) in [
            (
                "TRUNCATE keyward.tenants",
                Answer::Refused(Reason::OwnerSuspended),
            ),
            ("TRUNCATE keyward.owners", Answer::Accepted),
        ] {
            run(&mut session, &[truncate]).await;
            for (node, key) in world.pairs() {
                node.comes_to(&key.secret, next, SOON).await;
            }
        }
    }
}

#[tokio::test]
async fn a_renamed_standing_leaves_the_one_and_meets_the_other() {
    let world = World::start().await;
    let sql = "INSERT INTO keyward.tenants (id, suspended) VALUES ('nobody', true); \
        INSERT INTO keyward.owners (kind, id, suspended) VALUES ('user', 'nobody', true)";
    world.site.sql(sql).await;
    for (sql, next) in [
        (
            "UPDATE keyward.tenants SET id = 'acme'",
            Answer::Refused(Reason::TenantSuspended),
        ),
        ("UPDATE keyward.tenants SET id = 'nobody'", Answer::Accepted),
        (
            "UPDATE keyward.owners SET id = '7'",
            Answer::Refused(Reason::OwnerSuspended),
        ),
        ("DELETE FROM keyward.owners", Answer::Accepted),
    ] {
        world.site.sql(sql).await;
        for (node, key) in world.pairs() {
            node.comes_to(&key.secret, next, SOON).await;
        }
    }
}

/// `COPY` out, `DELETE`, and `COPY` in: a key that was refused as unknown is accepted again.
#[tokio::test]
async fn keys_that_are_copied_in_are_accepted() {
    let world = World::start().await;
    let mut session = world.site.database.connect().await.unwrap();
    run(
        &mut session,
        &["CREATE TABLE saved AS SELECT * FROM keyward.keys"],
    )
    .await;
    let mut copy = session.copy_out_raw("COPY saved TO STDOUT").await.unwrap();
    let mut rows = Vec::new();
    while let Some(piece) = poll_fn(|cx| copy.as_mut().poll_next(cx)).await {
        rows.extend_from_slice(&piece.unwrap());
    }
    drop(copy);
    run(&mut session, &["DELETE FROM keyward.keys"]).await;
    for (node, key) in world.pairs() {
        let unknown = Answer::Refused(Reason::Unknown);
        node.comes_to(&key.secret, unknown, SOON).await;
    }
    let mut copy = session
        .copy_in_raw("COPY keyward.keys FROM STDIN")
        .await
        .unwrap();
    copy.send(rows).await.unwrap();
    copy.finish().await.unwrap();
    for (node, key) in world.pairs() {
        node.comes_to(&key.secret, Answer::Accepted, SOON).await;
    }
}

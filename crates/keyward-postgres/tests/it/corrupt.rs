//! Rows that make no sense, which only somebody who drops the constraints can write.

use std::time::{Duration, SystemTime};

use keyward_core::{Issued, Reason};
use keyward_store::{AuditQuery, Change, CommitError, KeyId, Records, Token, Write};
use sqlx::AssertSqlSafe;

use crate::support::{Answer, FORMATS, Node, REVOKED, SOON, Site, new_key, quoted, told, within};

#[tokio::test]
async fn a_digest_of_another_length_is_not_accepted() {
    let found = [Reason::StoreFailed, Reason::Unknown];
    not_accepted("digest = substr(digest, 1, 31)", found).await;
    not_accepted("digest = digest || '\\x00'", found).await;
    not_accepted("digest = ''", found).await;
}

#[tokio::test]
async fn an_unknown_kind_of_hash_is_not_accepted() {
    not_accepted("hash = 'md5'", [Reason::StoreFailed; 2]).await;
    not_accepted("hash = ''", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn a_key_without_tenant_is_not_accepted() {
    not_accepted("tenant = NULL", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn half_an_owner_is_not_accepted() {
    not_accepted("owner_kind = 'user'", [Reason::StoreFailed; 2]).await;
    not_accepted("owner_id = '7'", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn scopes_without_text_are_not_accepted() {
    not_accepted(
        "scopes = ARRAY['orders:read', NULL]",
        [Reason::StoreFailed; 2],
    )
    .await;
    not_accepted("scopes = NULL", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn scopes_of_two_dimensions_are_not_accepted() {
    let scopes = "scopes = ARRAY[ARRAY['orders:read'], ARRAY['orders:write']]";
    not_accepted(scopes, [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn a_revision_below_zero_is_not_accepted() {
    not_accepted("revision = -1", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn a_foreign_hash_that_is_no_text_is_not_accepted() {
    // As it stands, the digest is none.
    not_accepted("hash = 'foreign'", [Reason::StoreFailed; 2]).await;
}

/// Whoever could not be told how often a key may be used is not to guess.
#[tokio::test]
async fn limits_that_make_no_sense_are_not_accepted() {
    for limits in [
        "NULL",
        "'{10/1000, NULL}'",
        "'{10}'",
        "'{10/1000/1}'",
        "'{a/b}'",
        "'{-1/1000}'",
        "'{0/1000}'",
        "'{10/0}'",
        "'{4294967297/1000}'",
        "'{10/31622400001}'",
        "'{10/99999999999999999999}'",
    ] {
        let set = format!("limits = {limits}");
        not_accepted(&set, [Reason::StoreFailed; 2]).await;
    }
}

#[tokio::test]
async fn tags_without_text_are_not_accepted() {
    not_accepted("tags = NULL", [Reason::StoreFailed; 2]).await;
    not_accepted("tags = ARRAY['ci', NULL]", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn half_a_successor_is_not_accepted() {
    for set in [
        "successor = 'a'",
        "rotated_at = now()",
        "retires_at = now() + interval '1 day'",
        "successor = 'a', rotated_at = now()",
        "rotated_at = now(), retires_at = now() + interval '1 day'",
        "successor = 'a/b', rotated_at = now(), retires_at = now() + interval '1 day'",
    ] {
        not_accepted(set, [Reason::StoreFailed; 2]).await;
    }
}

#[tokio::test]
async fn a_key_that_was_replaced_before_all_time_is_over() {
    for (since, until) in [
        ("-infinity", "-infinity"),
        ("now", "-infinity"),
        ("infinity", "infinity"),
        ("infinity", "4713-01-01 BC"),
    ] {
        let set = format!("successor = 'a', rotated_at = '{since}', retires_at = '{until}'");
        not_accepted(&set, [Reason::Retired; 2]).await;
    }
}

/// The log is read whole or not at all: a line that is left out could be the one that matters.
#[tokio::test]
async fn an_audit_line_that_makes_no_sense_is_an_error() {
    for set in [
        "action = 'forgiven'",
        "key = 'a/b'",
        "owner_kind = 'user'",
        "owner_id = '7'",
        "subject = 'tenant'",
    ] {
        let site = Site::fresh().await;
        let node = site.node().await;
        site.issue(&node, new_key()).await;
        let query = AuditQuery::default();
        assert_eq!(node.keys.audit(&query).await.unwrap().len(), 1);
        site.sql(&format!("UPDATE keyward.audit SET {set}")).await;
        let error = node.keys.audit(&query).await.unwrap_err();
        let told = told(&error);
        assert!(told.contains("makes no sense"), "{told}");
    }
}

#[tokio::test]
async fn a_token_of_no_key_bars_all_the_same() {
    let site = Site::fresh().await;
    let store = site.store();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000);
    let token = Token::new("s", "t", KeyId::from(1), now + Duration::from_secs(60));
    let change = Change::new(now).write(Write::Token(token));
    store.commit(&change).await.unwrap();
    site.sql("UPDATE keyward.tokens SET key = 'a/b'").await;
    let error = store.commit(&change).await.unwrap_err();
    assert!(matches!(error, CommitError::NotCommitted(_)), "{error:?}");
}

/// What nothing could be read from cannot be typed in the first place.
#[tokio::test]
async fn the_constraints_know_what_makes_no_sense() {
    let site = Site::fresh().await;
    let node = site.node().await;
    site.issue(&node, new_key()).await;
    let mut session = site.database.connect().await.unwrap();
    for set in [
        "hash = 'md5'",
        "pepper = 'a'",
        "digest = ''",
        "hash = 'hmac-sha256', digest = 'short'",
        "hash = 'foreign', digest = decode(repeat('61', 1025), 'hex')",
        "limits = '{10}'",
        "limits = '{0/1000}'",
        "limits = '{10/1000, NULL}'",
        "limits = '{10/1000, }'",
        "limits = '{\"10/1000 \"}'",
        "limits = '{\"10/1000\n\"}'",
        "successor = 'a'",
        "rotated_at = now(), retires_at = now()",
        "owner_kind = 'user'",
    ] {
        let sql = AssertSqlSafe(format!("UPDATE keyward.keys SET {set}"));
        let error = sqlx::raw_sql(sql).execute(&mut session).await.unwrap_err();
        let code = error.as_database_error().unwrap().code().unwrap();
        let expected = if set.contains(", }") {
            "22P02"
        } else {
            "23514"
        };
        assert_eq!(code, expected, "{set}");
    }
    for set in [
        "hash = 'foreign', pepper = 'bcrypt', digest = '$2b$12$abc'",
        "limits = '{10/1000, 1/1}'",
        "limits = '{}'",
    ] {
        site.sql(&format!("UPDATE keyward.keys SET {set}")).await;
    }
}

#[tokio::test]
async fn names_that_cannot_be_names_are_not_accepted() {
    not_accepted("id = ''", [Reason::StoreFailed; 2]).await;
    not_accepted("id = 'a/b'", [Reason::StoreFailed; 2]).await;
    not_accepted("rotated_from = ' '", [Reason::StoreFailed; 2]).await;
    not_accepted("lineage = ''", [Reason::StoreFailed; 2]).await;
}

#[tokio::test]
async fn an_expiry_before_all_time_is_over() {
    not_accepted("expires_at = '-infinity'", [Reason::Expired; 2]).await;
    not_accepted("expires_at = '4713-01-01 BC'", [Reason::Expired; 2]).await;
}

#[tokio::test]
async fn a_revocation_at_any_time_is_one() {
    for time in ["infinity", "-infinity", "9999-01-01", "4713-01-01 BC"] {
        let set = format!("revoked_at = '{time}'");
        not_accepted(&set, [Reason::Revoked; 2]).await;
    }
}

#[tokio::test]
async fn an_expiry_after_all_time_never_comes() {
    for time in ["infinity", "294276-12-31"] {
        let spoilt = Spoilt::start().await;
        spoilt.set(&format!("expires_at = '{time}'")).await;
        for key in &spoilt.bad {
            assert!(spoilt.node.accepts(&key.secret).await);
        }
    }
}

/// A scope that is none grants nothing; the others stay.
#[tokio::test]
async fn a_scope_that_is_none_grants_nothing() {
    let spoilt = Spoilt::start().await;
    spoilt
        .set("scopes = ARRAY['orders:read', 'orders: *', '', '*:*']")
        .await;
    for key in &spoilt.bad {
        within(SOON, "the node has read it", async || {
            let principal = spoilt.node.principal(&key.secret).await;
            let scopes: Vec<_> = principal.scopes().iter().map(ToString::to_string).collect();
            !scopes
                .iter()
                .any(|scope| scope.contains(' ') || scope.is_empty())
        })
        .await;
        let principal = spoilt.node.principal(&key.secret).await;
        assert!(principal.require(&crate::support::READ).is_ok());
    }
}

#[tokio::test]
async fn a_standing_that_makes_no_sense_lets_nobody_in() {
    for set in [
        "suspended = NULL",
        "entitled = NULL",
        "revision = -1",
        "ceiling = '{NULL}'",
    ] {
        let spoilt = Spoilt::start().await;
        let loosen = "ALTER TABLE keyward.tenants \
            ALTER suspended DROP NOT NULL, ALTER entitled DROP NOT NULL";
        spoilt.site.sql(loosen).await;
        spoilt
            .site
            .sql("INSERT INTO keyward.tenants (id) VALUES ('acme')")
            .await;
        spoilt
            .site
            .sql(&format!("UPDATE keyward.tenants SET {set}"))
            .await;
        for key in &spoilt.bad {
            spoilt
                .node
                .comes_to(&key.secret, Answer::Unavailable, SOON)
                .await;
        }
        spoilt.site.sql("DELETE FROM keyward.tenants").await;
        for key in &spoilt.bad {
            spoilt
                .node
                .comes_to(&key.secret, Answer::Accepted, SOON)
                .await;
        }
    }
}

/// The log of changes says what this version does not know: everything is read again.
#[tokio::test]
async fn an_event_that_makes_no_sense_is_one_of_everything() {
    for event in [
        "'k', NULL",
        "'k', 'a/b'",
        "'t', NULL",
        "'o', NULL",
        "'z', 'x'",
    ] {
        let spoilt = Spoilt::start().await;
        let sql = format!(
            "ALTER TABLE keyward.keys DISABLE TRIGGER keyward_changed; \
             UPDATE keyward.keys SET revoked_at = now(); \
             INSERT INTO keyward.events (number, kind, key) \
                SELECT keyward.change_number(), v.* FROM (VALUES ({event})) v"
        );
        spoilt.site.sql(&sql).await;
        for key in &spoilt.bad {
            spoilt.node.comes_to(&key.secret, REVOKED, SOON).await;
        }
    }
}

/// A node that knows three keys, two of which are about to be spoilt.
struct Spoilt {
    site: Site,
    node: Node,
    good: Issued,
    /// One of each format.
    bad: [Issued; 2],
}

impl Spoilt {
    async fn start() -> Self {
        let site = Site::fresh().await;
        let node = site.node().await;
        let new = |format: &str| new_key().format(format);
        let good = site.issue(&node, new_key().tenant("other")).await;
        let bad = [
            site.issue(&node, new(FORMATS[0])).await,
            site.issue(&node, new(FORMATS[1])).await,
        ];
        for key in bad.iter().chain([&good]) {
            assert!(node.accepts(&key.secret).await);
        }
        let loosen = "ALTER TABLE keyward.keys DROP CONSTRAINT keys_owner, \
            DROP CONSTRAINT keys_hash, DROP CONSTRAINT keys_digest, \
            DROP CONSTRAINT keys_found_by, DROP CONSTRAINT keys_pkey, \
            DROP CONSTRAINT keys_limits, DROP CONSTRAINT keys_successor, \
            ALTER tenant DROP NOT NULL, ALTER scopes DROP NOT NULL, ALTER id DROP NOT NULL, \
            ALTER limits DROP NOT NULL, ALTER tags DROP NOT NULL";
        site.sql(loosen).await;
        Self {
            site,
            node,
            good,
            bad,
        }
    }

    async fn set(&self, what: &str) {
        let [one, two] = self.bad.each_ref().map(|key| quoted(&key.key.id));
        let sql = format!("UPDATE keyward.keys SET {what} WHERE id IN ({one}, {two})");
        assert_eq!(self.site.sql(&sql).await, 2);
    }
}

/// Each of the two keys comes to be refused for this reason, and no other key is.
async fn not_accepted(set: &str, reasons: [Reason; 2]) {
    let spoilt = Spoilt::start().await;
    spoilt.set(set).await;
    for (key, reason) in spoilt.bad.iter().zip(reasons) {
        within(SOON, set, async || {
            spoilt.node.reason(&key.secret).await == Some(reason)
        })
        .await;
        assert_eq!(spoilt.node.reason(&key.secret).await, Some(reason));
    }
    assert!(spoilt.node.accepts(&spoilt.good.secret).await);
    let newcomer = spoilt.site.node().await;
    for (key, reason) in spoilt.bad.iter().zip(reasons) {
        assert_eq!(newcomer.reason(&key.secret).await, Some(reason));
    }
    assert!(newcomer.accepts(&spoilt.good.secret).await);
}

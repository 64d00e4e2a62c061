//! Rows that make no sense, which only somebody who drops the constraints can write.

use keyward_core::{Issued, Reason};

use crate::support::{Answer, FORMATS, Node, REVOKED, SOON, Site, new_key, quoted, within};

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
async fn names_that_cannot_be_names_are_not_accepted() {
    not_accepted("id = ''", [Reason::StoreFailed; 2]).await;
    not_accepted("id = 'a/b'", [Reason::StoreFailed; 2]).await;
    not_accepted("rotated_from = ' '", [Reason::StoreFailed; 2]).await;
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
            ALTER tenant DROP NOT NULL, ALTER scopes DROP NOT NULL, ALTER id DROP NOT NULL";
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

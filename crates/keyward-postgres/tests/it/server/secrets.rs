//! Neither errors nor logs, the server's among them, hold what nobody may see.

use std::time::{Duration, SystemTime};

use keyward_store::{
    Change, CommitError, Digest, ForeignHash, KeyHash, KeyId, KeyRecord, Lookup, Records, Selector,
    Write,
};
use keyward_testkit::LeakWatch;
use keyward_throwaway::Server;

use super::primary;
use crate::support::{Node, connect, new_key, often, told};

#[tokio::test]
async fn a_duplicate_digest_is_quoted_nowhere() {
    let secrets = Secrets::start().await;
    let store = connect(&secrets.server.url());
    store.commit(&secrets.insert("one")).await.unwrap();
    let error = store.commit(&secrets.insert("two")).await.unwrap_err();
    assert!(matches!(error, CommitError::Duplicate));
    secrets.quoted_nowhere(&error);
}

/// A hash of another system is as secret as one of ours, be it a twin of another or too long; and a text
/// that the database cannot keep is not sent there, where it would be quoted with what stands around it.
#[tokio::test]
async fn a_foreign_hash_is_quoted_nowhere() {
    let secrets = Secrets::start().await;
    let store = connect(&secrets.server.url());
    let text = "$2b$12$nobodymayseethisnobodymayseethis";
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    secrets.watch.secret(text);
    secrets.watch.secret(&hex);
    let insert = |name: &str, text: &str| {
        let mut change = secrets.insert(name);
        for write in &mut change.writes {
            if let Write::Insert(record) = write {
                record.hash = KeyHash::Foreign(ForeignHash::new("bcrypt", text));
            }
        }
        change
    };
    store.commit(&insert("one", text)).await.unwrap();
    let error = store.commit(&insert("two", text)).await.unwrap_err();
    assert!(matches!(error, CommitError::Duplicate));
    secrets.quoted_nowhere(&error);
    let error = store
        .commit(&insert("two", &text.repeat(30)))
        .await
        .unwrap_err();
    assert!(matches!(error, CommitError::NotCommitted(_)), "{error:?}");
    assert!(secrets.server.log().contains("keys_digest"));
    secrets.quoted_nowhere(&error);
    for hash in [
        KeyHash::Sha256(secrets.digest),
        KeyHash::Foreign(ForeignHash::new("bcrypt", text)),
    ] {
        let mut change = insert("two", text);
        for write in &mut change.writes {
            if let Write::Insert(record) = write {
                record.hash = hash.clone();
                record.environment = Some("\0".to_owned());
            }
        }
        let error = store.commit(&change).await.unwrap_err();
        assert!(matches!(error, CommitError::NotCommitted(_)), "{error:?}");
        secrets.quoted_nowhere(&error);
    }
    let log = secrets.server.log();
    assert!(!log.contains("JSON"), "{log}");
}

/// A constraint that the host has added would have the whole row quoted.
#[tokio::test]
async fn a_row_that_the_host_forbids_is_quoted_nowhere() {
    let secrets = Secrets::start().await;
    let server = &secrets.server;
    let store = connect(&server.url());
    for (rule, why) in [
        (
            "ADD CONSTRAINT house_rule CHECK (name <> 'two')",
            "house_rule",
        ),
        ("ALTER description SET NOT NULL", "not-null"),
    ] {
        let add = format!("ALTER TABLE keyward.keys {rule}");
        server.execute(&add).await.unwrap();
        let error = store.commit(&secrets.insert("two")).await.unwrap_err();
        assert!(matches!(error, CommitError::NotCommitted(_)), "{error:?}");
        let log = server.log();
        assert!(log.contains(why), "the operator must be told why");
        secrets.quoted_nowhere(&error);
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_quoted_nowhere() {
    let secrets = Secrets::start().await;
    let store = connect(&secrets.server.url());
    store.commit(&secrets.insert("one")).await.unwrap();
    let spoil = "ALTER TABLE keyward.keys ALTER digest TYPE text USING encode(digest, 'hex')";
    for spoil in [
        "ALTER TABLE keyward.keys DROP CONSTRAINT keys_digest",
        spoil,
    ] {
        secrets.server.execute(spoil).await.unwrap();
    }
    let by = Selector::Key(KeyId::new("one").unwrap());
    let error = connect(&secrets.server.url()).find(&by).await.unwrap_err();
    secrets.watch.inspect("an error", told(&error).as_bytes());
}

/// Under every fault there is: nothing of a key, and not the password.
#[tokio::test(flavor = "multi_thread")]
async fn outages_quote_nothing() {
    let secrets = Secrets::start().await;
    let server = &secrets.server;
    let password = "correct-horse-battery";
    secrets.watch.secret(password);
    // The server trusts everybody; but the store knows the password.
    server
        .execute("CREATE ROLE app LOGIN SUPERUSER")
        .await
        .unwrap();
    let url = server
        .url()
        .replace("postgres@", &format!("app:{password}@"));
    let store = connect(&url);
    secrets
        .watch
        .inspect("Debug", format!("{store:?}").as_bytes());
    let node = Node::start(store.clone(), often).await;
    let issued = node.keys.issue(new_key()).await.unwrap();
    secrets.watch.issued(&issued);
    if let KeyHash::Sha256(digest) = &issued.key.hash {
        secrets.watch.secret(&digest.to_hex());
    }
    assert!(node.accepts(&issued.secret).await);
    server.kill().await.unwrap();
    let mut errors = vec![
        told(&node.keys.revoke(&issued.key.id).await.unwrap_err()),
        told(&node.keys.issue(new_key()).await.unwrap_err()),
        told(&store.commit(&secrets.insert("one")).await.unwrap_err()),
        told(
            &store
                .find(&Selector::Key(issued.key.id.clone()))
                .await
                .unwrap_err(),
        ),
    ];
    server.start_again().await.unwrap();
    server.execute("ALTER ROLE app NOLOGIN").await.unwrap();
    let refused = connect(&url);
    errors.push(told(&refused.migrate().await.unwrap_err()));
    for error in errors {
        secrets.watch.inspect("an error", error.as_bytes());
    }
    secrets
        .watch
        .inspect("the server's log", server.log().as_bytes());
}

/// A server, and a digest that must not be seen.
struct Secrets {
    server: Server,
    watch: LeakWatch,
    digest: Digest,
}

impl Secrets {
    async fn start() -> Self {
        let watch = LeakWatch::start();
        let digest = Digest::sha256(b"a key that nobody may see");
        watch.secret(&digest.to_hex());
        watch.secret(&digest.to_hex().to_uppercase());
        watch.secret(&format!("{:?}", digest.as_bytes()));
        let server = primary().await;
        Self {
            server,
            watch,
            digest,
        }
    }

    /// A change that inserts a key of that name, and of the one digest.
    fn insert(&self, name: &str) -> Change {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000);
        let hash = KeyHash::Sha256(self.digest);
        let mut record = KeyRecord::new(KeyId::new(name).unwrap(), "acme", hash);
        record.name = name.to_owned();
        record.created_at = now;
        Change::new(now).write(Write::Insert(record))
    }

    fn quoted_nowhere(&self, error: &dyn std::error::Error) {
        self.watch.inspect("an error", told(error).as_bytes());
        let log = self.server.log();
        assert!(log.contains("ERROR"), "the server has logged nothing");
        self.watch.inspect("the server's log", log.as_bytes());
    }
}

//! Records and changes to try stores with.

use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, AuditRecord, Candidates, Change, Digest, Expectation, ForeignHash, KeyHash, KeyId,
    KeyRecord, Limit, Owner, PepperId, PublicId, Scopes, Selector, Subject, SubjectState,
    Successor, Token, Write,
};

/// A time of day to the microsecond, which is what databases keep.
pub(super) fn time(micros: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(1_763_000_000_123_457 + micros)
}

/// A whole second, which is what last use is kept to.
pub(super) fn second(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000 + seconds)
}

/// The `n`th key of the tenant `acme-inc`, issued `n` microseconds after the first.
pub(super) fn record(n: u64) -> KeyRecord {
    let hash = KeyHash::Sha256(digest(n));
    let mut record = KeyRecord::new(key_id(n), "acme-inc", hash);
    record.name = format!("key {n}");
    record.prefix = "acme_live".to_owned();
    record.public_id = Some(public_id(n));
    record.hint = format!("acme_live_{n:011}");
    record.scopes = Scopes::from_stored(["orders:read"]);
    record.created_at = time(n);
    record
}

/// A record in which nothing has the value it has in any other, and nothing is absent.
pub(super) fn full_record() -> KeyRecord {
    let hash = hmac("2026-11", digest(77));
    let mut record = KeyRecord::new(KeyId::generate(), "租户 Größe/7 🔑", hash);
    record.owner = Some(Owner::new("service account", "строка:1\u{301}"));
    record.name = "Nächtlicher Export 日次 '\"\\%_ \n\t".to_owned();
    record.description = Some("Two lines\nand a tab\there".to_owned());
    record.environment = Some("live".to_owned());
    record.tags = ["zwei", "eins", "Größe, \"{}\\\" NULL", "", "eins"]
        .map(Into::into)
        .into();
    record.prefix = "sk_live".to_owned();
    record.public_id = PublicId::new("0123456789abcdefghijkLMN");
    record.hint = "sk_live_0123…".to_owned();
    record.lookup = Some("sk_live_0123 'é%_".to_owned());
    record.scopes = (0..Scopes::MAX)
        .map(|n| format!("a:{n}:*"))
        .map(|text| keyward_store::Scope::new(&text).unwrap())
        .collect();
    record.networks = [
        "0.0.0.0/0",
        "192.0.2.0/28",
        "2001:db8::/32",
        "2001:db8::1/128",
    ]
    .map(|network| network.parse().unwrap())
    .to_vec();
    record.limits = vec![
        limit(7, 1),
        limit(1 << 32, 366 * 24 * 3_600_000),
        limit(1, 60_000),
        limit(7, 1),
    ];
    record.role = Some("Rédacteur".to_owned());
    record.created_at = time(1);
    record.created_by = Some("user 42".to_owned());
    // The end of the year 9999, the last that RFC 3339 can spell.
    record.expires_at =
        Some(SystemTime::UNIX_EPOCH + Duration::from_micros(253_402_300_799_999_999));
    record.revoked_at = Some(time(3));
    record.suspended_at = Some(time(4));
    record.rotated_from = Some(key_id(99));
    record.successor = Some(Successor {
        key: key_id(101),
        since: time(6),
        until: time(7),
    });
    record.lineage = Some(key_id(98));
    record.metadata = Some(r#"{"plan" : "pro","a":[1.0, null],  "naïve":"\u00e9"}"#.to_owned());
    record.revision = 3_000_000_000;
    record
}

/// A record of another system's hash, as long as one may be, and in no alphabet.
pub(super) fn foreign_record() -> KeyRecord {
    let (scheme, text) = ("é".repeat(32), "$2b$ {é}\\ ".repeat(90));
    assert!(scheme.len() == ForeignHash::MAX.0 && text.len() > ForeignHash::MAX.1 - 40);
    let mut record = record(76);
    record.hash = foreign(&scheme, &text);
    record.public_id = None;
    record
}

/// A record with nothing in it that can be left out.
pub(super) fn bare_record() -> KeyRecord {
    KeyRecord::new(KeyId::from(-1), "t", KeyHash::Sha256(digest(78)))
}

/// A record whose optional texts are there, and empty.
pub(super) fn empty_record() -> KeyRecord {
    let mut record = record(79);
    record.description = Some(String::new());
    record.environment = Some(String::new());
    record.lookup = Some(String::new());
    record.role = Some(String::new());
    record.created_by = Some(String::new());
    record
}

pub(super) fn key_id(n: u64) -> KeyId {
    KeyId::new(&format!("key-{n}")).unwrap()
}

pub(super) fn public_id(n: u64) -> PublicId {
    PublicId::new(&format!("{n:011}")).unwrap()
}

/// The digest of a credential that exists nowhere.
pub(super) fn digest(n: u64) -> Digest {
    Digest::sha256(format!("credential {n}").as_bytes())
}

pub(super) fn hmac(pepper: &str, mac: Digest) -> KeyHash {
    KeyHash::HmacSha256 {
        pepper: PepperId::new(pepper),
        mac,
    }
}

pub(super) fn foreign(scheme: &str, text: &str) -> KeyHash {
    KeyHash::Foreign(ForeignHash::new(scheme, text))
}

/// So many requests in so many milliseconds.
pub(super) fn limit(requests: u64, millis: u64) -> Limit {
    Limit::new(requests, Duration::from_millis(millis)).unwrap()
}

pub(super) fn by_key(record: &KeyRecord) -> Selector {
    Selector::Key(record.id.clone())
}

pub(super) fn by_public_id(prefix: &str, id: PublicId) -> Selector {
    let prefix = prefix.into();
    Selector::PublicId { prefix, id }
}

pub(super) fn by_sha256(digest: Digest) -> Selector {
    Selector::Credential(Candidates::new(digest, []))
}

pub(super) fn by_macs<'a>(
    sha256: Digest,
    macs: impl IntoIterator<Item = (&'a str, Digest)>,
) -> Selector {
    let macs = macs.into_iter();
    let macs = macs.map(|(pepper, mac)| (PepperId::new(pepper), mac));
    Selector::Credential(Candidates::new(sha256, macs))
}

/// Whatever other systems may have kept of a credential of which nothing else is kept.
pub(super) fn by_foreign<'a>(
    hashes: impl IntoIterator<Item = (&'a str, &'a str)>,
    lookups: impl IntoIterator<Item = &'a str>,
) -> Selector {
    let hashes = hashes.into_iter();
    let hashes = hashes.map(|(scheme, text)| ForeignHash::new(scheme, text));
    let lookups = lookups.into_iter().map(Into::into);
    Selector::Credential(Candidates::new(digest(1_000), []).and_foreign(hashes, lookups))
}

/// The token `text` of one scope, for the `n`th key.
pub(super) fn token(text: &str, n: u64, until: SystemTime) -> Token {
    Token::new("issue", text, key_id(n), until)
}

pub(super) fn insert(records: impl IntoIterator<Item = KeyRecord>) -> Change {
    let mut change = Change::new(time(0));
    change.writes.extend(records.into_iter().map(Write::Insert));
    change
}

/// A change to one record, if it still is as it was: `edit` says what becomes of it.
pub(super) fn edit(
    before: &KeyRecord,
    refound: bool,
    edit: impl FnOnce(&mut KeyRecord),
) -> (KeyRecord, Change) {
    let mut record = before.clone();
    record.revision += 1;
    edit(&mut record);
    let write = Write::Replace {
        record: record.clone(),
        refound,
    };
    let change = Change::new(time(0)).expect(is_still(before)).write(write);
    (record, change)
}

/// The deletion of a record, if it still is as it was.
pub(super) fn delete(record: &KeyRecord) -> Change {
    Change::new(time(0))
        .expect(is_still(record))
        .write(Write::Delete {
            key: record.id.clone(),
            public_id: record.public_id,
        })
}

pub(super) fn is_still(record: &KeyRecord) -> Expectation {
    Expectation::Revision {
        key: record.id.clone(),
        is: record.revision,
    }
}

pub(super) fn tenant(id: &str) -> Subject {
    Subject::Tenant(id.into())
}

pub(super) fn owner(kind: &str, id: &str) -> Subject {
    Subject::Owner(Owner::new(kind, id))
}

pub(super) fn suspended(revision: u64) -> SubjectState {
    let mut state = SubjectState::default();
    state.suspended = true;
    state.revision = revision;
    state
}

pub(super) fn set(subject: &Subject, state: &SubjectState) -> Change {
    Change::new(time(0)).write(Write::Standing {
        subject: subject.clone(),
        state: state.clone(),
    })
}

pub(super) fn audit_of(record: &KeyRecord, action: AuditAction) -> AuditRecord {
    let mut line = AuditRecord::new(time(5), action);
    line.key = Some(record.id.clone());
    line.tenant = Some(record.tenant.clone());
    line
}

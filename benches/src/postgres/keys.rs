//! Keys that are told by their number alone, here and in SQL: a million of them are made by one
//! statement, and each is a real one.

use keyward::{Alphabet, Candidates, Digest, FormatError, IdShape, InvalidId, KeyFormat, KeyId};
use keyward::{PublicId, Selector};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};

use crate::Result;

/// The key of that number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key(pub(super) u64);

impl Key {
    /// The `nth` of `all` keys in an order that jumps about and meets each of them once.
    pub(super) fn scattered(nth: u64, all: u64) -> Self {
        // A prime, and so coprime to the powers of ten that the sizes are.
        Self(nth.wrapping_mul(7_368_787) % all)
    }

    pub(super) fn id(self) -> Result<KeyId, InvalidId> {
        KeyId::new(&format!("01990000-0000-7000-8000-{:012x}", self.0))
    }

    pub(super) fn credential(self) -> String {
        let secret = hex::encode(Sha256::digest(self.0.to_string()));
        format!("{PREFIX}_{}_{}", self.public_id(), &secret[..SECRET])
    }

    pub(super) fn digest(self) -> Digest {
        Digest::sha256(self.credential().as_bytes())
    }

    pub(super) fn selector(self, way: Way) -> Result<Selector> {
        Ok(match way {
            Way::PublicId => Selector::PublicId {
                prefix: PREFIX.into(),
                id: PublicId::new(&self.public_id()).ok_or("no public id")?,
            },
            Way::Digest => Selector::Credential(Candidates::new(self.digest(), [])),
        })
    }

    /// In no order, as those that services issue.
    fn public_id(self) -> String {
        format!("{:011x}", self.0.wrapping_mul(SPREAD) & ID_BITS)
    }
}

/// What a key is looked up by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    PublicId,
    /// As those of a format that has no public id.
    Digest,
}

/// The format of these keys: one block of SHA-256, as the default is.
pub(super) fn format() -> Result<KeyFormat, FormatError> {
    KeyFormat::builder(PREFIX)
        .public_id(IdShape::Characters(11))
        .secret(Alphabet::Hex, SECRET)
        .without_checksum()
        .build()
}

const PREFIX: &str = "bench_live";
const SECRET: usize = 32;
/// Odd, and so small that no product of it and a number of a key overflows in SQL.
const SPREAD: u64 = 129_777_432_959;
const ID_BITS: u64 = (1 << 44) - 1;

/// Makes the keys of the numbers below `n`, as a table that has been vacuumed since.
pub(super) async fn fill(connection: &mut PgConnection, n: u64) -> Result<()> {
    let insert = format!(
        "INSERT INTO keyward.keys (id, tenant, name, prefix, public_id, hint, hash, digest, scopes, \
            created_at, revision) \
         SELECT '01990000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), 'tenant-' || n % 1000, 'bench', \
            '{PREFIX}', c.id, '{PREFIX}_' || c.id, 'sha256', \
            sha256(convert_to('{PREFIX}_' || c.id || '_' || c.secret, 'UTF8')), '{{orders:read}}', \
            timestamptz '2026-01-01' + n * interval '1 second', 1 \
         FROM generate_series(0::bigint, {n} - 1) AS n, LATERAL (SELECT \
            lpad(to_hex((n * {SPREAD}) & {ID_BITS}), 11, '0') AS id, \
            left(encode(sha256(convert_to(n::text, 'UTF8')), 'hex'), {SECRET}) AS secret) AS c"
    );
    let fill = FILL.replace("-- INSERT", &(insert + ";"));
    raw_sql("SET maintenance_work_mem = '256MB'")
        .execute(&mut *connection)
        .await?;
    raw_sql(AssertSqlSafe(fill))
        .execute(&mut *connection)
        .await?;
    for after in ["VACUUM ANALYZE keyward.keys", "CHECKPOINT"] {
        raw_sql(after).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Without the triggers, which would keep a line for each row until the end, and with the indexes
/// made in one go behind it. A service does not start unless the triggers are on again.
const FILL: &str = "\
DO $$
DECLARE
    it    record;
    later text[] := '{}';
    sql   text;
BEGIN
    ALTER TABLE keyward.keys DISABLE TRIGGER USER;
    FOR it IN SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE conrelid = 'keyward.keys'::regclass AND contype IN ('p', 'u') LOOP
        later := later || format('ALTER TABLE keyward.keys ADD CONSTRAINT %I %s', it.name, it.definition);
        EXECUTE format('ALTER TABLE keyward.keys DROP CONSTRAINT %I', it.name);
    END LOOP;
    FOR it IN SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition
        FROM pg_index WHERE indrelid = 'keyward.keys'::regclass LOOP
        later := later || it.definition;
        EXECUTE format('DROP INDEX %s', it.name);
    END LOOP;
    -- INSERT
    FOREACH sql IN ARRAY later LOOP
        EXECUTE sql;
    END LOOP;
    FOR it IN SELECT tgname AS name FROM pg_trigger
        WHERE tgrelid = 'keyward.keys'::regclass AND NOT tgisinternal LOOP
        EXECUTE format('ALTER TABLE keyward.keys ENABLE ALWAYS TRIGGER %I', it.name);
    END LOOP;
END $$";

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_is_one_of_the_format() {
        let generated = format().unwrap().generate().unwrap();
        let like = generated.plaintext.expose().len();
        for n in [0, 1, 9_999_999] {
            let credential = Key(n).credential();
            assert_eq!(credential.len(), like, "{credential}");
        }
    }

    #[test]
    fn no_two_keys_share_a_public_id() {
        let ids: HashSet<String> = (0..100_000).map(|n| Key(n).public_id()).collect();
        assert_eq!(ids.len(), 100_000);
    }

    #[test]
    fn an_order_that_jumps_about_meets_every_key() {
        let numbers: HashSet<u64> = (0..10_000).map(|n| Key::scattered(n, 10_000).0).collect();
        assert_eq!(numbers.len(), 10_000);
    }
}

-- Keyward's tables, all in the schema "keyward", and the log of changes.
--
-- `PostgresStore::migrate` runs this file. By hand, as a whole or not at all:
--     psql -1 -v ON_ERROR_STOP=1 -f 0001_keyward.sql

CREATE SCHEMA keyward;

-- Which files have been run.
CREATE TABLE keyward.migrations (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- ── Facts ───────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE keyward.keys (
    id           text        COLLATE "C" PRIMARY KEY,
    tenant       text        NOT NULL,
    owner_kind   text,
    owner_id     text,
    name         text        NOT NULL,
    description  text,
    environment  text,
    prefix       text        NOT NULL,
    public_id    text        COLLATE "C",
    hint         text        NOT NULL,
    -- 'sha256', or 'hmac-sha256' under a pepper.
    hash         text        NOT NULL,
    pepper       text        NOT NULL DEFAULT '',
    digest       bytea       NOT NULL,
    scopes       text[]      NOT NULL DEFAULT '{}',
    role         text,
    created_at   timestamptz NOT NULL,
    created_by   text,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    suspended_at timestamptz,
    rotated_from text,
    metadata     text,
    revision     bigint      NOT NULL,
    CONSTRAINT keys_owner CHECK ((owner_kind IS NULL) = (owner_id IS NULL)),
    CONSTRAINT keys_hash CHECK (
        (hash = 'sha256' AND pepper = '') OR hash = 'hmac-sha256'),
    CONSTRAINT keys_digest CHECK (octet_length(digest) = 32),
    CONSTRAINT keys_public_id UNIQUE (prefix, public_id),
    CONSTRAINT keys_found_by UNIQUE (digest, hash, pepper)
-- Room for a revoked row beside what it was, so that no index has to be told.
) WITH (fillfactor = 85);
CREATE INDEX keys_by_age ON keyward.keys (created_at DESC, id DESC);
CREATE INDEX keys_of_tenant ON keyward.keys (tenant, created_at DESC, id DESC);
CREATE INDEX keys_of_owner ON keyward.keys (owner_kind, owner_id, created_at DESC, id DESC);

-- The standing of tenants and owners; those in good standing since ever have no row.
CREATE TABLE keyward.tenants (
    id        text    PRIMARY KEY,
    suspended boolean NOT NULL DEFAULT false,
    entitled  boolean NOT NULL DEFAULT true,
    ceiling   text[],
    revision  bigint  NOT NULL DEFAULT 1
);
CREATE TABLE keyward.owners (
    kind      text    NOT NULL,
    id        text    NOT NULL,
    suspended boolean NOT NULL DEFAULT false,
    entitled  boolean NOT NULL DEFAULT true,
    ceiling   text[],
    revision  bigint  NOT NULL DEFAULT 1,
    PRIMARY KEY (kind, id)
);

CREATE TABLE keyward.audit (
    position     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    action       text        NOT NULL,
    actor        text,
    key          text        COLLATE "C",
    tenant       text,
    -- 'tenant' or 'owner', when the line is about a standing.
    subject      text,
    subject_kind text,
    subject_id   text
);
CREATE INDEX audit_of_key ON keyward.audit (key, position);
CREATE INDEX audit_of_tenant ON keyward.audit (tenant, position);

-- Apart from the keys: a use writes no row there, locks none, and is no change.
CREATE TABLE keyward.last_used (
    key text        COLLATE "C" PRIMARY KEY,
    at  timestamptz NOT NULL
) WITH (fillfactor = 70);

-- ── The log of changes ──────────────────────────────────────────────────────────────────────────

-- One row. Whoever holds its lock makes the next change: so the order of numbers is the order of
-- commits, which is the order in which changes become visible. It is written only when the log is
-- cut or another history begins, and so it has no dead versions to wade through.
CREATE TABLE keyward.log (
    one     boolean     PRIMARY KEY DEFAULT true CHECK (one),
    history uuid        NOT NULL DEFAULT gen_random_uuid(),
    -- When the server was started under which the history began.
    server  timestamptz NOT NULL DEFAULT pg_postmaster_start_time()
);
INSERT INTO keyward.log DEFAULT VALUES;

-- One row for each transaction that changed anything. The token tells this change `number` from
-- that of another history.
CREATE TABLE keyward.commits (
    number bigint      PRIMARY KEY,
    token  uuid        NOT NULL DEFAULT gen_random_uuid(),
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX commits_by_age ON keyward.commits (at);
INSERT INTO keyward.commits (number) VALUES (0);

CREATE TABLE keyward.events (
    number     bigint  NOT NULL,
    ordinal    bigint  GENERATED ALWAYS AS IDENTITY,
    -- k: a key. t: a tenant. o: an owner. a: all.
    kind       "char"  NOT NULL,
    key        text    COLLATE "C",
    public_ids text[],
    refound    boolean NOT NULL DEFAULT false,
    tenant     text,
    owner_kind text,
    owner_id   text,
    PRIMARY KEY (number, ordinal)
);

-- The number of the change that this transaction is: taken when its first event is told, which is
-- when it commits.
CREATE FUNCTION keyward.change_number() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known  text := current_setting('keyward.change', true);
    own    text := pg_current_xact_id()::text;
    taken  bigint;
BEGIN
    IF split_part(known, ':', 1) = own THEN
        RETURN split_part(known, ':', 2)::bigint;
    END IF;
    -- A change that has been seen must not be lost in a crash.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM FROM keyward.log FOR UPDATE;
    -- In a transaction whose snapshot is older than the lock, the number is taken already; or it was
    -- once, and the log has been cut since, in which case the lock itself was refused.
    INSERT INTO keyward.commits (number)
        SELECT max(number) + 1 FROM keyward.commits
        ON CONFLICT DO NOTHING
        RETURNING number INTO taken;
    IF taken IS NULL THEN
        RAISE EXCEPTION 'another change was committed first' USING ERRCODE = 'serialization_failure';
    END IF;
    PERFORM set_config('keyward.change', own || ':' || taken, true);
    PERFORM pg_notify('keyward', '');
    RETURN taken;
END $$;

CREATE FUNCTION keyward.key_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change bigint := keyward.change_number();
    ids    text[];
    moved  boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO keyward.events (number, kind, key, public_ids, refound)
            VALUES (change, 'k', NEW.id, ARRAY[NEW.public_id], true);
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO keyward.events (number, kind, key, public_ids, refound)
            VALUES (change, 'k', OLD.id, ARRAY[OLD.public_id], true);
        DELETE FROM keyward.last_used WHERE key = OLD.id;
        RETURN NULL;
    END IF;
    moved := ROW (OLD.id, OLD.prefix, OLD.public_id, OLD.hash, OLD.pepper, OLD.digest)
        IS DISTINCT FROM ROW (NEW.id, NEW.prefix, NEW.public_id, NEW.hash, NEW.pepper, NEW.digest);
    ids := ARRAY[NEW.public_id];
    IF OLD.public_id IS DISTINCT FROM NEW.public_id THEN
        ids := ids || OLD.public_id;
    END IF;
    INSERT INTO keyward.events (number, kind, key, public_ids, refound)
        VALUES (change, 'k', NEW.id, ids, moved);
    IF OLD.id <> NEW.id THEN
        INSERT INTO keyward.events (number, kind, key, public_ids, refound)
            VALUES (change, 'k', OLD.id, ids, moved);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keyward.tenant_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change bigint := keyward.change_number();
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO keyward.events (number, kind, tenant) VALUES (change, 't', OLD.id);
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND OLD.id <> NEW.id) THEN
        INSERT INTO keyward.events (number, kind, tenant) VALUES (change, 't', NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keyward.owner_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change bigint := keyward.change_number();
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO keyward.events (number, kind, owner_kind, owner_id)
            VALUES (change, 'o', OLD.kind, OLD.id);
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND ROW (OLD.kind, OLD.id) <> ROW (NEW.kind, NEW.id)) THEN
        INSERT INTO keyward.events (number, kind, owner_kind, owner_id)
            VALUES (change, 'o', NEW.kind, NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keyward.all_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO keyward.events (number, kind) VALUES (keyward.change_number(), 'a');
    RETURN NULL;
END $$;

-- Without its log, nobody can say what has changed: a history begins in which nothing has.
CREATE FUNCTION keyward.log_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE keyward.log SET history = gen_random_uuid();
    INSERT INTO keyward.commits (number) VALUES (0) ON CONFLICT DO NOTHING;
    PERFORM pg_notify('keyward', '');
    RETURN NULL;
END $$;

-- Deferred: the log's lock is taken when a transaction commits, behind all of its row locks, and is
-- held for no longer than that. TRUNCATE cannot be deferred.
CREATE CONSTRAINT TRIGGER keyward_changed AFTER INSERT OR UPDATE OR DELETE ON keyward.keys
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keyward.key_changed();
CREATE CONSTRAINT TRIGGER keyward_changed AFTER INSERT OR UPDATE OR DELETE ON keyward.tenants
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keyward.tenant_changed();
CREATE CONSTRAINT TRIGGER keyward_changed AFTER INSERT OR UPDATE OR DELETE ON keyward.owners
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keyward.owner_changed();
CREATE TRIGGER keyward_truncated AFTER TRUNCATE ON keyward.keys
    FOR EACH STATEMENT EXECUTE FUNCTION keyward.all_changed();
CREATE TRIGGER keyward_truncated AFTER TRUNCATE ON keyward.tenants
    FOR EACH STATEMENT EXECUTE FUNCTION keyward.all_changed();
CREATE TRIGGER keyward_truncated AFTER TRUNCATE ON keyward.owners
    FOR EACH STATEMENT EXECUTE FUNCTION keyward.all_changed();
CREATE TRIGGER keyward_truncated AFTER TRUNCATE ON keyward.commits
    FOR EACH STATEMENT EXECUTE FUNCTION keyward.log_truncated();
CREATE TRIGGER keyward_truncated AFTER TRUNCATE ON keyward.events
    FOR EACH STATEMENT EXECUTE FUNCTION keyward.log_truncated();
-- Also when rows come by replication, or with `session_replication_role = replica`.
ALTER TABLE keyward.keys ENABLE ALWAYS TRIGGER keyward_changed;
ALTER TABLE keyward.keys ENABLE ALWAYS TRIGGER keyward_truncated;
ALTER TABLE keyward.tenants ENABLE ALWAYS TRIGGER keyward_changed;
ALTER TABLE keyward.tenants ENABLE ALWAYS TRIGGER keyward_truncated;
ALTER TABLE keyward.owners ENABLE ALWAYS TRIGGER keyward_changed;
ALTER TABLE keyward.owners ENABLE ALWAYS TRIGGER keyward_truncated;
ALTER TABLE keyward.commits ENABLE ALWAYS TRIGGER keyward_truncated;
ALTER TABLE keyward.events ENABLE ALWAYS TRIGGER keyward_truncated;

-- Forgets changes that are older than that, but for the last. A node that was away for longer
-- drops what it knows.
CREATE FUNCTION keyward.forget_changes(older_than interval) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
BEGIN
    SELECT max(number) INTO last FROM keyward.commits
        WHERE at < clock_timestamp() - older_than
        AND number < (SELECT max(number) FROM keyward.commits);
    DELETE FROM keyward.events WHERE number <= last;
    DELETE FROM keyward.commits WHERE number <= last;
    -- Whoever took a snapshot before this would take a number from among the forgotten. From now on
    -- they cannot lock this row.
    UPDATE keyward.log SET server = server WHERE last IS NOT NULL;
    RETURN last;
END $$;

-- ── The register of nodes ───────────────────────────────────────────────────────────────────────

-- No beat is ever counted twice.
CREATE SEQUENCE keyward.beats;
CREATE TABLE keyward.nodes (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    lease_ms   bigint      NOT NULL,
    beat       bigint      NOT NULL,
    -- The beat by which the row was made.
    first_beat bigint      NOT NULL,
    -- How far it has applied the changes.
    history    bigint,
    number     bigint,
    -- For people to look at. Nothing is decided by it.
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- ── Changes ─────────────────────────────────────────────────────────────────────────────────────

-- So many microseconds after the epoch. Whole seconds and the rest apart, since an interval is
-- multiplied as a floating point number.
CREATE FUNCTION keyward.at(micros bigint) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT to_timestamp(0)
        + (micros / 1000000) * interval '1 second'
        + (micros % 1000000) * interval '1 microsecond'
$$;

CREATE FUNCTION keyward.texts(list jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(list) = 'array' THEN ARRAY(
        SELECT value FROM jsonb_array_elements_text(list) WITH ORDINALITY AS t (value, place) ORDER BY place)
    END
$$;

CREATE FUNCTION keyward.key_of(r jsonb) RETURNS keyward.keys
LANGUAGE sql STABLE AS $$
    SELECT ROW (
        r->>'id', r->>'tenant', r->>'owner_kind', r->>'owner_id', r->>'name', r->>'description',
        r->>'environment', r->>'prefix', r->>'public_id', r->>'hint', r->>'hash', r->>'pepper',
        decode(r->>'digest', 'hex'), keyward.texts(r->'scopes'), r->>'role',
        keyward.at((r->>'created_at')::bigint), r->>'created_by',
        keyward.at((r->>'expires_at')::bigint), keyward.at((r->>'revoked_at')::bigint),
        keyward.at((r->>'suspended_at')::bigint), r->>'rotated_from', r->>'metadata',
        (r->>'revision')::bigint
    )::keyward.keys
$$;

-- Whether what a change expects holds.
CREATE FUNCTION keyward.holds(e jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    bound   bigint := (e->>'than')::bigint;
    counted bigint;
BEGIN
    CASE e->>'kind'
    WHEN 'revision' THEN
        RETURN EXISTS (SELECT FROM keyward.keys
            WHERE id = e->>'key' AND revision = (e->>'is')::bigint);
    WHEN 'tenant' THEN
        RETURN (e->>'is')::bigint = coalesce(
            (SELECT revision FROM keyward.tenants WHERE id = e->>'tenant'), 0);
    WHEN 'owner' THEN
        RETURN (e->>'is')::bigint = coalesce(
            (SELECT revision FROM keyward.owners
                WHERE kind = e->>'owner_kind' AND id = e->>'owner_id'), 0);
    WHEN 'fewer' THEN
        IF e->>'owner_id' IS NOT NULL THEN
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys
                WHERE owner_kind = e->>'owner_kind' AND owner_id = e->>'owner_id'
                AND (e->>'tenant' IS NULL OR tenant = e->>'tenant')
                AND ((e->>'revoked')::boolean OR revoked_at IS NULL)
                AND (NOT (e->>'unexpired')::boolean OR expires_at IS NULL OR expires_at > now)
                LIMIT bound) AS found;
        ELSIF e->>'tenant' IS NOT NULL THEN
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys
                WHERE tenant = e->>'tenant'
                AND ((e->>'revoked')::boolean OR revoked_at IS NULL)
                AND (NOT (e->>'unexpired')::boolean OR expires_at IS NULL OR expires_at > now)
                LIMIT bound) AS found;
        ELSE
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys
                WHERE ((e->>'revoked')::boolean OR revoked_at IS NULL)
                AND (NOT (e->>'unexpired')::boolean OR expires_at IS NULL OR expires_at > now)
                LIMIT bound) AS found;
        END IF;
        RETURN counted < bound;
    END CASE;
END $$;

-- Makes a change, as a whole or not at all. The answer is the place of the first expectation that
-- does not hold, in which case nothing was written; or null.
--
-- KW001: a record of that name, public id or hash exists. KW002: the record to replace does not.
CREATE FUNCTION keyward.commit(change jsonb) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    now   timestamptz := keyward.at((change->>'at')::bigint);
    item  jsonb;
    place bigint;
    r     keyward.keys;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'changes need the isolation level "read committed"'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    -- Everything that is read or written is locked first, in an order that all changes keep.
    FOR item IN SELECT l FROM jsonb_array_elements(change->'locks') AS l
        ORDER BY hashtextextended(l->>'name', 0) LOOP
        IF (item->>'shared')::boolean THEN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended(item->>'name', 0));
        ELSE
            PERFORM pg_advisory_xact_lock(hashtextextended(item->>'name', 0));
        END IF;
    END LOOP;
    PERFORM FROM keyward.keys WHERE id = ANY (keyward.texts(change->'keys')) ORDER BY id FOR UPDATE;

    FOR item, place IN SELECT * FROM jsonb_array_elements(change->'expect') WITH ORDINALITY LOOP
        IF NOT keyward.holds(item, now) THEN
            RETURN place - 1;
        END IF;
    END LOOP;

    BEGIN
        FOR item IN SELECT * FROM jsonb_array_elements(change->'write') LOOP
            CASE item->>'kind'
            WHEN 'insert' THEN
                r := keyward.key_of(item);
                INSERT INTO keyward.keys SELECT r.*;
            WHEN 'replace' THEN
                r := keyward.key_of(item);
                UPDATE keyward.keys SET
                    tenant = r.tenant, owner_kind = r.owner_kind, owner_id = r.owner_id,
                    name = r.name, description = r.description, environment = r.environment,
                    prefix = r.prefix, public_id = r.public_id, hint = r.hint, hash = r.hash,
                    pepper = r.pepper, digest = r.digest, scopes = r.scopes, role = r.role,
                    created_at = r.created_at, created_by = r.created_by,
                    expires_at = r.expires_at, revoked_at = r.revoked_at,
                    suspended_at = r.suspended_at, rotated_from = r.rotated_from,
                    metadata = r.metadata, revision = r.revision
                WHERE id = r.id;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'the record to replace does not exist' USING ERRCODE = 'KW002';
                END IF;
            WHEN 'tenant' THEN
                INSERT INTO keyward.tenants AS t (id, suspended, entitled, ceiling, revision)
                    VALUES (item->>'tenant', (item->>'suspended')::boolean,
                        (item->>'entitled')::boolean, keyward.texts(item->'ceiling'),
                        (item->>'revision')::bigint)
                    ON CONFLICT (id) DO UPDATE SET suspended = excluded.suspended,
                        entitled = excluded.entitled, ceiling = excluded.ceiling,
                        revision = excluded.revision;
            WHEN 'owner' THEN
                INSERT INTO keyward.owners AS o (kind, id, suspended, entitled, ceiling, revision)
                    VALUES (item->>'owner_kind', item->>'owner_id', (item->>'suspended')::boolean,
                        (item->>'entitled')::boolean, keyward.texts(item->'ceiling'),
                        (item->>'revision')::bigint)
                    ON CONFLICT (kind, id) DO UPDATE SET suspended = excluded.suspended,
                        entitled = excluded.entitled, ceiling = excluded.ceiling,
                        revision = excluded.revision;
            END CASE;
        END LOOP;
    EXCEPTION
        -- Not as they are: their details, which servers log, quote the digest.
        WHEN unique_violation THEN
            RAISE EXCEPTION 'a record of that name, public id or hash exists'
                USING ERRCODE = 'KW001';
        WHEN integrity_constraint_violation THEN
            RAISE EXCEPTION '%', SQLERRM USING ERRCODE = SQLSTATE;
    END;

    IF jsonb_array_length(change->'audit') > 0 THEN
        -- Positions rise in the order of commits: this lock is the last, and held to the end.
        PERFORM FROM keyward.log FOR UPDATE;
        INSERT INTO keyward.audit
            (at, action, actor, key, tenant, subject, subject_kind, subject_id)
            SELECT keyward.at((a->>'at')::bigint), a->>'action', a->>'actor', a->>'key',
                a->>'tenant', a->>'subject', a->>'subject_kind', a->>'subject_id'
            FROM jsonb_array_elements(change->'audit') WITH ORDINALITY AS t (a, nth)
            ORDER BY nth;
    END IF;
    RETURN NULL;
END $$;

INSERT INTO keyward.migrations (version) VALUES (1);

-- Rotations, tags, limits, foreign hashes, tokens, deletions, and an audit log that says more.
--
-- By hand, after 0001 and as a whole or not at all:
--     psql -1 -v ON_ERROR_STOP=1 -f 0002_lifecycle.sql
--
-- It only adds. Processes of the version before may go on beside newer ones while a service is being
-- deployed: `keyward.commit`, which they call, leaves the new columns of a row as they are. But they do not
-- heed what these say: rotate no key, limit none to networks and import none before the last of them ends.

-- ── Facts ───────────────────────────────────────────────────────────────────────────────────────

-- In this order, in which changes lock the tables too. `keyward.key_of` keeps to that of the columns.
ALTER TABLE keyward.keys
    ADD COLUMN tags       text[]      NOT NULL DEFAULT '{}',
    -- The beginning of the key, by which it is found when its hash is salted.
    ADD COLUMN lookup     text        COLLATE "C",
    -- Each is "requests/milliseconds".
    ADD COLUMN limits     text[]      NOT NULL DEFAULT '{}',
    -- From where it may be used; from anywhere where there are none.
    ADD COLUMN networks   cidr[]      NOT NULL DEFAULT '{}',
    -- The key that replaces this one, when it took over, and from when on this one is refused.
    ADD COLUMN successor  text        COLLATE "C",
    ADD COLUMN rotated_at timestamptz,
    ADD COLUMN retires_at timestamptz,
    -- The first of the keys that led to this one by rotation.
    ADD COLUMN lineage    text        COLLATE "C",
    DROP CONSTRAINT keys_hash,
    DROP CONSTRAINT keys_digest,
    -- As another system kept it: the digest is its text in UTF-8, and the pepper its scheme. So one
    -- index finds every hash, and tells it from all others.
    ADD CONSTRAINT keys_hash CHECK (
        (hash = 'sha256' AND pepper = '') OR hash = 'hmac-sha256' OR hash = 'foreign'),
    ADD CONSTRAINT keys_digest CHECK (
        CASE hash WHEN 'foreign' THEN octet_length(digest) <= 1024 ELSE octet_length(digest) = 32 END),
    ADD CONSTRAINT keys_limits CHECK (
        array_position(limits, NULL) IS NULL
        AND array_to_string(limits, ' ') ~ '^([1-9][0-9]{0,9}/[1-9][0-9]{0,10}( (?=[1-9])|$))*$'),
    ADD CONSTRAINT keys_networks CHECK (array_position(networks, NULL) IS NULL),
    ADD CONSTRAINT keys_successor CHECK (
        (successor IS NULL) = (rotated_at IS NULL) AND (successor IS NULL) = (retires_at IS NULL));
CREATE INDEX keys_by_lookup ON keyward.keys (lookup, created_at, id) WHERE lookup IS NOT NULL;
-- What ends soon. When a key was revoked is in no index, so that a revocation tells none.
CREATE INDEX keys_by_end ON keyward.keys (least(expires_at, retires_at))
    WHERE expires_at IS NOT NULL OR retires_at IS NOT NULL;

-- The role that all its keys have.
ALTER TABLE keyward.tenants ADD COLUMN role text;
ALTER TABLE keyward.owners ADD COLUMN role text;

ALTER TABLE keyward.audit
    -- Of the key.
    ADD COLUMN owner_kind text,
    ADD COLUMN owner_id   text,
    -- JSON, as it was written.
    ADD COLUMN before     text,
    ADD COLUMN after      text,
    ADD COLUMN refusal    text;
CREATE INDEX audit_of_owner ON keyward.audit (owner_kind, owner_id, position)
    WHERE owner_kind IS NOT NULL;

-- Marks that requests leave. They bear on no key, and no change of theirs is told.
CREATE TABLE keyward.tokens (
    scope text        COLLATE "C" NOT NULL,
    text  text        COLLATE "C" NOT NULL,
    key   text        COLLATE "C" NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (scope, text)
);
CREATE INDEX tokens_by_end ON keyward.tokens (until);

-- Forgets tokens whose time was over so long ago, as many as that at most. It waits for nobody.
CREATE FUNCTION keyward.forget_tokens(older_than interval, most integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH old AS (
        SELECT ctid FROM keyward.tokens WHERE until < clock_timestamp() - older_than
            ORDER BY until LIMIT most FOR UPDATE SKIP LOCKED),
    forgotten AS (
        DELETE FROM keyward.tokens WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1)
    SELECT count(*) FROM forgotten
$$;

-- ── Which keys are meant ────────────────────────────────────────────────────────────────────────

-- How a key stands by itself; of several that hold, the first.
CREATE FUNCTION keyward.status(k keyward.keys, at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN k.revoked_at IS NOT NULL THEN 'revoked'
        WHEN k.retires_at <= at OR k.retires_at <= k.rotated_at THEN 'retired'
        WHEN k.expires_at <= at THEN 'expired'
        WHEN k.suspended_at IS NOT NULL THEN 'suspended'
        WHEN k.successor IS NOT NULL THEN 'retiring'
        ELSE 'active'
    END
$$;

-- What is null is not asked for; and `at` is the present when it is null. The statuses are those that no
-- key may have, since of those it may have the server would expect too few keys.
CREATE TYPE keyward.filter AS (
    tenant         text,
    owner_kind     text,
    owner_id       text,
    environment    text,
    prefix         text,
    tag            text,
    hidden         text[],
    at             timestamptz,
    created_before timestamptz,
    ends_before    timestamptz,
    over_before    timestamptz,
    used_since     timestamptz,
    idle_since     timestamptz,
    kept           text,
    pepper         text,
    lookup         text
);

-- Whether a filter lets a key through that was last used then. One expression, which the server puts
-- into the statement that calls it, so that what is not asked for costs nothing.
CREATE FUNCTION keyward.admits(f keyward.filter, k keyward.keys, used timestamptz, now timestamptz)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (f.tenant IS NULL OR k.tenant = f.tenant)
        AND (f.owner_kind IS NULL OR k.owner_kind = f.owner_kind)
        AND (f.owner_id IS NULL OR k.owner_id = f.owner_id)
        AND (f.environment IS NULL OR k.environment = f.environment)
        AND (f.prefix IS NULL OR k.prefix = f.prefix)
        AND (f.tag IS NULL OR f.tag = ANY (k.tags))
        AND keyward.status(k, coalesce(f.at, now)) <> ALL (f.hidden)
        AND (f.created_before IS NULL OR k.created_at < f.created_before)
        AND (f.ends_before IS NULL OR least(k.expires_at, k.retires_at) < f.ends_before)
        AND (f.over_before IS NULL
            OR least(k.revoked_at, k.expires_at, k.retires_at) < f.over_before)
        AND (f.used_since IS NULL OR used >= f.used_since)
        AND (f.idle_since IS NULL
            OR (k.created_at < f.idle_since AND (used IS NULL OR used < f.idle_since)))
        AND (f.kept IS NULL OR k.hash = f.kept)
        AND (f.pepper IS NULL OR k.pepper = f.pepper)
        AND (f.lookup IS NULL OR k.lookup = f.lookup)
$$;

CREATE FUNCTION keyward.filter_of(f jsonb) RETURNS keyward.filter
LANGUAGE sql STABLE AS $$
    SELECT ROW (
        f->>'tenant', f->>'owner_kind', f->>'owner_id', f->>'environment', f->>'prefix',
        f->>'tag', keyward.texts(f->'hidden'),
        keyward.at((f->>'at')::bigint), keyward.at((f->>'created_before')::bigint),
        keyward.at((f->>'ends_before')::bigint), keyward.at((f->>'over_before')::bigint),
        keyward.at((f->>'used_since')::bigint), keyward.at((f->>'idle_since')::bigint),
        f->>'kept', f->>'pepper', f->>'lookup'
    )::keyward.filter
$$;

-- The keys of a page: the newest behind a place. One statement for each way to an index, planned anew
-- each time: what is asked for decides which plan is good.
CREATE FUNCTION keyward.page(f keyward.filter, after_at timestamptz, after_id text, most bigint)
RETURNS SETOF keyward.keys
LANGUAGE plpgsql STABLE ROWS 100 SET plan_cache_mode = 'force_custom_plan' AS $$
BEGIN
    IF f.lookup IS NOT NULL THEN
        RETURN QUERY SELECT k.* FROM keyward.keys k
            LEFT JOIN keyward.last_used u ON u.key = k.id
            WHERE k.lookup = f.lookup
            AND keyward.admits(f, k, u.at, statement_timestamp())
            AND (k.created_at, k.id) < (after_at, after_id)
            ORDER BY k.created_at DESC, k.id DESC LIMIT most;
    ELSIF f.owner_id IS NOT NULL THEN
        RETURN QUERY SELECT k.* FROM keyward.keys k
            LEFT JOIN keyward.last_used u ON u.key = k.id
            WHERE k.owner_kind = f.owner_kind AND k.owner_id = f.owner_id
            AND keyward.admits(f, k, u.at, statement_timestamp())
            AND (k.created_at, k.id) < (after_at, after_id)
            ORDER BY k.created_at DESC, k.id DESC LIMIT most;
    ELSIF f.tenant IS NOT NULL THEN
        RETURN QUERY SELECT k.* FROM keyward.keys k
            LEFT JOIN keyward.last_used u ON u.key = k.id
            WHERE k.tenant = f.tenant
            AND keyward.admits(f, k, u.at, statement_timestamp())
            AND (k.created_at, k.id) < (after_at, after_id)
            ORDER BY k.created_at DESC, k.id DESC LIMIT most;
    ELSIF f.ends_before IS NOT NULL THEN
        RETURN QUERY SELECT k.* FROM keyward.keys k
            LEFT JOIN keyward.last_used u ON u.key = k.id
            WHERE (k.expires_at IS NOT NULL OR k.retires_at IS NOT NULL)
            AND keyward.admits(f, k, u.at, statement_timestamp())
            AND (k.created_at, k.id) < (after_at, after_id)
            ORDER BY k.created_at DESC, k.id DESC LIMIT most;
    ELSE
        RETURN QUERY SELECT k.* FROM keyward.keys k
            LEFT JOIN keyward.last_used u ON u.key = k.id
            WHERE keyward.admits(f, k, u.at, statement_timestamp())
            AND (k.created_at, k.id) < (after_at, after_id)
            ORDER BY k.created_at DESC, k.id DESC LIMIT most;
    END IF;
END $$;

-- ── The log of changes ──────────────────────────────────────────────────────────────────────────

-- As before; and a key that begins otherwise is found otherwise.
CREATE OR REPLACE FUNCTION keyward.key_changed() RETURNS trigger
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
    moved := ROW (OLD.id, OLD.prefix, OLD.public_id, OLD.hash, OLD.pepper, OLD.digest, OLD.lookup)
        IS DISTINCT FROM
        ROW (NEW.id, NEW.prefix, NEW.public_id, NEW.hash, NEW.pepper, NEW.digest, NEW.lookup);
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

-- The triggers call it as who owns them. Nobody else has a change to number without making one.
REVOKE EXECUTE ON FUNCTION keyward.change_number() FROM PUBLIC;

-- ── Changes ─────────────────────────────────────────────────────────────────────────────────────

-- The version before says nothing of the columns that came with this file.
CREATE OR REPLACE FUNCTION keyward.key_of(r jsonb) RETURNS keyward.keys
LANGUAGE sql STABLE AS $$
    SELECT ROW (
        r->>'id', r->>'tenant', r->>'owner_kind', r->>'owner_id', r->>'name', r->>'description',
        r->>'environment', r->>'prefix', r->>'public_id', r->>'hint', r->>'hash', r->>'pepper',
        decode(r->>'digest', 'hex'), keyward.texts(r->'scopes'), r->>'role',
        keyward.at((r->>'created_at')::bigint), r->>'created_by',
        keyward.at((r->>'expires_at')::bigint), keyward.at((r->>'revoked_at')::bigint),
        keyward.at((r->>'suspended_at')::bigint), r->>'rotated_from', r->>'metadata',
        (r->>'revision')::bigint,
        coalesce(keyward.texts(r->'tags'), '{}'), r->>'lookup',
        coalesce(keyward.texts(r->'limits'), '{}'),
        coalesce(keyward.texts(r->'networks'), '{}')::cidr[], r->>'successor',
        keyward.at((r->>'rotated_at')::bigint), keyward.at((r->>'retires_at')::bigint),
        r->>'lineage'
    )::keyward.keys
$$;

-- Whether what a change expects holds. A cap is on few keys, which are all looked at: to plan for each
-- would take longer than that.
CREATE FUNCTION keyward.is_met(e jsonb, now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = 'force_generic_plan' AS $$
DECLARE
    bound   bigint := (e->>'than')::bigint;
    f       keyward.filter;
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
        f := keyward.filter_of(e->'of');
        -- One statement for each way to an index.
        IF f.lookup IS NOT NULL THEN
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys k
                LEFT JOIN keyward.last_used u ON u.key = k.id
                WHERE k.lookup = f.lookup AND keyward.admits(f, k, u.at, now)
                LIMIT bound) AS found;
        ELSIF f.owner_id IS NOT NULL THEN
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys k
                LEFT JOIN keyward.last_used u ON u.key = k.id
                WHERE k.owner_kind = f.owner_kind AND k.owner_id = f.owner_id
                AND keyward.admits(f, k, u.at, now) LIMIT bound) AS found;
        ELSIF f.tenant IS NOT NULL THEN
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys k
                LEFT JOIN keyward.last_used u ON u.key = k.id
                WHERE k.tenant = f.tenant AND keyward.admits(f, k, u.at, now)
                LIMIT bound) AS found;
        ELSE
            SELECT count(*) INTO counted FROM (SELECT FROM keyward.keys k
                LEFT JOIN keyward.last_used u ON u.key = k.id
                WHERE keyward.admits(f, k, u.at, now) LIMIT bound) AS found;
        END IF;
        RETURN counted < bound;
    END CASE;
END $$;

-- Makes a change, as a whole or not at all. Where one is not made, `unmet` is the place of the first
-- expectation that does not hold; or `used_by` is the key for which a token of it was used before.
--
-- KW001: a record of that name, public id or hash exists. KW002: the record to replace or delete does
-- not.
CREATE FUNCTION keyward.make_change(change jsonb, OUT unmet integer, OUT used_by text)
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

    -- Whoever repeats a request is to hear that, whatever has changed since.
    FOR item IN SELECT w.item FROM jsonb_array_elements(change->'write') WITH ORDINALITY AS w (item, nth)
        WHERE w.item->>'kind' = 'token' ORDER BY w.nth LOOP
        SELECT t.key INTO used_by FROM keyward.tokens t
            WHERE t.scope = item->>'scope' AND t.text = item->>'text' AND t.until > now;
        IF FOUND THEN
            RETURN;
        END IF;
    END LOOP;

    FOR item, place IN SELECT * FROM jsonb_array_elements(change->'expect') WITH ORDINALITY LOOP
        IF NOT keyward.is_met(item, now) THEN
            unmet := place - 1;
            RETURN;
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
                    metadata = r.metadata, revision = r.revision, tags = r.tags,
                    lookup = r.lookup, limits = r.limits, networks = r.networks, successor = r.successor,
                    rotated_at = r.rotated_at, retires_at = r.retires_at, lineage = r.lineage
                WHERE id = r.id;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'the record to replace does not exist' USING ERRCODE = 'KW002';
                END IF;
            WHEN 'delete' THEN
                DELETE FROM keyward.keys WHERE id = item->>'key';
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'the record to delete does not exist' USING ERRCODE = 'KW002';
                END IF;
            WHEN 'token' THEN
                -- The change may have had it twice.
                SELECT t.key INTO used_by FROM keyward.tokens t
                    WHERE t.scope = item->>'scope' AND t.text = item->>'text' AND t.until > now;
                IF FOUND THEN
                    RAISE EXCEPTION 'the token has been used before' USING ERRCODE = 'KW003';
                END IF;
                INSERT INTO keyward.tokens AS t (scope, text, key, until)
                    VALUES (item->>'scope', item->>'text', item->>'key',
                        keyward.at((item->>'until')::bigint))
                    ON CONFLICT (scope, text) DO UPDATE
                        SET key = excluded.key, until = excluded.until;
            WHEN 'tenant' THEN
                INSERT INTO keyward.tenants AS t
                    (id, suspended, entitled, role, ceiling, revision)
                    VALUES (item->>'tenant', (item->>'suspended')::boolean,
                        (item->>'entitled')::boolean, item->>'role',
                        keyward.texts(item->'ceiling'), (item->>'revision')::bigint)
                    ON CONFLICT (id) DO UPDATE SET suspended = excluded.suspended,
                        entitled = excluded.entitled, role = excluded.role,
                        ceiling = excluded.ceiling, revision = excluded.revision;
            WHEN 'owner' THEN
                INSERT INTO keyward.owners AS o
                    (kind, id, suspended, entitled, role, ceiling, revision)
                    VALUES (item->>'owner_kind', item->>'owner_id', (item->>'suspended')::boolean,
                        (item->>'entitled')::boolean, item->>'role',
                        keyward.texts(item->'ceiling'), (item->>'revision')::bigint)
                    ON CONFLICT (kind, id) DO UPDATE SET suspended = excluded.suspended,
                        entitled = excluded.entitled, role = excluded.role,
                        ceiling = excluded.ceiling, revision = excluded.revision;
            END CASE;
        END LOOP;
    EXCEPTION
        -- What was written before it is taken back.
        WHEN SQLSTATE 'KW003' THEN
            RETURN;
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
        INSERT INTO keyward.audit (at, action, actor, key, tenant, owner_kind, owner_id,
                subject, subject_kind, subject_id, before, after, refusal)
            SELECT keyward.at((a->>'at')::bigint), a->>'action', a->>'actor', a->>'key',
                a->>'tenant', a->>'owner_kind', a->>'owner_id', a->>'subject',
                a->>'subject_kind', a->>'subject_id', a->>'before', a->>'after', a->>'refusal'
            FROM jsonb_array_elements(change->'audit') WITH ORDINALITY AS t (a, nth)
            ORDER BY nth;
    END IF;
END $$;

INSERT INTO keyward.migrations (version) VALUES (2);

-- Users and the record of what was done to them, version 5. An administrator has no right on logins and none on these tables;
-- he may call functions, which do what the owner may and write down who asked for it and why.

CREATE TABLE login (
    name        text        PRIMARY KEY,
    tier        text        NOT NULL CHECK (tier IN ('collector', 'pro', 'free', 'admin')),
    disabled    boolean     NOT NULL DEFAULT false,
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    password_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Append-only. Each row's hash covers the row and the hash before it, so that a change shows in every later row.
CREATE TABLE audit (
    n        bigint      PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text        NOT NULL,
    action   text        NOT NULL,
    subject  text        NOT NULL,
    before   jsonb,
    after    jsonb,
    reason   text        NOT NULL,
    previous bytea       NOT NULL,
    hash     bytea       NOT NULL
);

CREATE FUNCTION audit_never() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit is never changed' USING ERRCODE = 'SH002';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_never();

-- Nothing in it depends on how a session writes times.
CREATE FUNCTION audit_hash(row_ audit) RETURNS bytea LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(row_.previous || convert_to(jsonb_build_array(row_.n, (extract(epoch FROM row_.at) * 1000000)::bigint,
        row_.actor, row_.action, row_.subject, row_.before, row_.after, row_.reason)::text, 'UTF8'))
$$;

-- Writes one row, in the name of the login that is connected.
CREATE FUNCTION audit_append(action text, subject text, before jsonb, after jsonb, reason text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last hub.audit;
    new hub.audit;
BEGIN
    IF length(trim(coalesce(reason, ''))) NOT BETWEEN 3 AND 500 THEN
        RAISE EXCEPTION 'a reason is needed, of 3 to 500 letters' USING ERRCODE = 'SH002';
    END IF;
    LOCK TABLE hub.audit IN SHARE ROW EXCLUSIVE MODE;
    SELECT * INTO last FROM hub.audit a ORDER BY a.n DESC LIMIT 1;
    new := ROW(coalesce(last.n, 0) + 1, date_trunc('microseconds', clock_timestamp()), session_user, action, subject, before,
        after, trim(reason), coalesce(last.hash, '\x'), '\x');
    new.hash := hub.audit_hash(new);
    INSERT INTO hub.audit SELECT new.*;
END
$$;

-- How many rows there are, the last hash (written down elsewhere it also proves that none is missing at the end), and the
-- first row that is not as it was written.
CREATE FUNCTION audit_check(OUT rows bigint, OUT last_hash text, OUT first_fault bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    one hub.audit;
    before bytea := '\x';
BEGIN
    rows := 0;
    FOR one IN SELECT * FROM hub.audit a ORDER BY a.n LOOP
        rows := rows + 1;
        IF first_fault IS NULL AND (one.n <> rows OR one.previous <> before OR one.hash <> hub.audit_hash(one)) THEN
            first_fault := one.n;
        END IF;
        before := one.hash;
    END LOOP;
    last_hash := encode(before, 'hex');
END
$$;

-- Administrators are the owner's to make and to change.
CREATE FUNCTION may_change(tier text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF tier IS NULL OR tier NOT IN ('collector', 'pro', 'free', 'admin') THEN
        RAISE EXCEPTION 'a tier is one of collector, pro, free and admin' USING ERRCODE = 'SH002';
    END IF;
    IF tier = 'admin' AND NOT pg_has_role(session_user, 'stratum_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'administrators are made and changed by the owner of the hub only' USING ERRCODE = 'SH002';
    END IF;
END
$$;

CREATE FUNCTION login_of(wanted text) RETURNS login LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found hub.login;
BEGIN
    SELECT * INTO found FROM hub.login l WHERE l.name = wanted FOR UPDATE;
    IF found.name IS NULL THEN
        RAISE EXCEPTION 'the hub has no user "%"', wanted USING ERRCODE = 'SH002', HINT = '`stratum hub user list` shows them';
    END IF;
    PERFORM hub.may_change(found.tier);
    RETURN found;
END
$$;

-- What a server keeps of a password, or, for providers that take nothing else, a password that this program has made.
CREATE FUNCTION is_password(text) RETURNS boolean LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce($1 ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]{16,64}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$'
        OR $1 ~ '^[A-Za-z0-9]{24,64}$', false)
$$;

-- The tier of a login and what goes with it.
CREATE FUNCTION give_tier(wanted text, tier text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other text;
BEGIN
    FOREACH other IN ARRAY ARRAY['collector', 'pro', 'free', 'admin'] LOOP
        IF other = tier THEN
            EXECUTE format('GRANT %I TO %I', 'stratum_' || other, wanted);
        ELSIF EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = to_regrole('stratum_' || other)
            AND m.member = to_regrole(quote_ident(wanted))) THEN
            EXECUTE format('REVOKE %I FROM %I', 'stratum_' || other, wanted);
        END IF;
    END LOOP;
    -- Behind a pooler nobody can ask for these when he connects.
    EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', wanted, CASE tier WHEN 'free' THEN '60s' ELSE '10min' END);
    EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', wanted, '60s');
    EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', wanted, '30s');
    EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', wanted, CASE tier WHEN 'free' THEN 10 ELSE -1 END);
END
$$;

-- Ends what a login has open. Not every provider lets us; then its sessions end at their next question that needs a right.
CREATE FUNCTION end_sessions(wanted text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.usename = wanted AND a.pid <> pg_backend_pid();
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$$;

CREATE FUNCTION user_add(name text, tier text, password text, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM hub.may_change(tier);
    IF name IS NULL OR name !~ '^[a-z][a-z0-9_]{1,47}$' OR name ~ '^(pg_|stratum_)' THEN
        RAISE EXCEPTION 'a user''s name is of 2 to 48 small letters, digits and underscores, begins with a letter, and not with pg_ or stratum_'
            USING ERRCODE = 'SH002';
    END IF;
    IF NOT hub.is_password(password) THEN
        RAISE EXCEPTION 'this is no password of ours' USING ERRCODE = 'SH002';
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = user_add.name) THEN
        RAISE EXCEPTION 'the server has a login "%" already', name USING ERRCODE = 'SH002', HINT = 'choose another name';
    END IF;
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', name, password);
    -- So that the owner can end its sessions.
    EXECUTE format('GRANT %I TO stratum_owner', name);
    PERFORM hub.give_tier(name, tier);
    INSERT INTO hub.login (name, tier) VALUES (user_add.name, user_add.tier);
    PERFORM hub.audit_append('add', name, NULL, jsonb_build_object('tier', tier), reason);
END
$$;

CREATE FUNCTION user_set_tier(name text, tier text, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old hub.login := hub.login_of(name);
BEGIN
    PERFORM hub.may_change(tier);
    IF old.disabled THEN
        RAISE EXCEPTION 'the user "%" is disabled', name USING ERRCODE = 'SH002', HINT = 'a new password lets it in again: `stratum hub user rotate`';
    END IF;
    PERFORM hub.give_tier(name, tier);
    UPDATE hub.login l SET tier = user_set_tier.tier WHERE l.name = user_set_tier.name;
    PERFORM hub.audit_append('set-tier', name, jsonb_build_object('tier', old.tier), jsonb_build_object('tier', tier), reason);
    -- What it has open knows the old tier.
    PERFORM hub.end_sessions(name);
END
$$;

CREATE FUNCTION user_disable(name text, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old hub.login := hub.login_of(name);
BEGIN
    EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL', name);
    EXECUTE format('REVOKE %I FROM %I', 'stratum_' || old.tier, name);
    UPDATE hub.login l SET disabled = true WHERE l.name = user_disable.name;
    PERFORM hub.audit_append('disable', name, jsonb_build_object('tier', old.tier, 'disabled', old.disabled),
        jsonb_build_object('tier', old.tier, 'disabled', true), reason);
    PERFORM hub.end_sessions(name);
END
$$;

-- A new password. It lets a disabled user in again.
CREATE FUNCTION user_rotate(name text, password text, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    old hub.login := hub.login_of(name);
BEGIN
    IF NOT hub.is_password(password) THEN
        RAISE EXCEPTION 'this is no password of ours' USING ERRCODE = 'SH002';
    END IF;
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', name, password);
    PERFORM hub.give_tier(name, old.tier);
    UPDATE hub.login l SET disabled = false, password_at = clock_timestamp() WHERE l.name = user_rotate.name;
    PERFORM hub.audit_append('rotate', name, jsonb_build_object('tier', old.tier, 'disabled', old.disabled),
        jsonb_build_object('tier', old.tier, 'disabled', false), reason);
    PERFORM hub.end_sessions(name);
END
$$;

CREATE FUNCTION user_list(OUT name text, OUT tier text, OUT disabled boolean, OUT made_at timestamptz,
    OUT password_at timestamptz, OUT sessions bigint) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT l.name, l.tier, l.disabled, l.made_at, l.password_at,
        (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = l.name)
    FROM hub.login l ORDER BY l.name
$$;

REVOKE ALL ON FUNCTION audit_never(), audit_hash(audit), audit_append(text, text, jsonb, jsonb, text), audit_check(),
    may_change(text), login_of(text), is_password(text), give_tier(text, text), end_sessions(text),
    user_add(text, text, text, text), user_set_tier(text, text, text), user_disable(text, text),
    user_rotate(text, text, text), user_list() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION user_add(text, text, text, text), user_set_tier(text, text, text), user_disable(text, text),
    user_rotate(text, text, text), user_list(), audit_check() TO stratum_admin;

ALTER TABLE login ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY care ON audit FOR SELECT TO stratum_admin USING (true);
GRANT SELECT ON audit TO stratum_admin;

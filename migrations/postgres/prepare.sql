-- Before the migrations, at every `stratum hub init`, by a login that may make roles and schemas and need be no superuser:
-- the group roles and the schemas. Roles belong to the whole server; hubs in its other databases share them.
-- Up to PostgreSQL 15 whoever may make roles may give any of them away. From 16 on only the roles that he made, and what
-- he made he must give himself before he can act in its name; the plain GRANT does that in both.
DO $prepare$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'stratum_owner') THEN
        -- It makes the logins of users, so it may make roles too. Nobody can log in as it.
        CREATE ROLE stratum_owner NOLOGIN CREATEROLE;
    END IF;
    IF NOT pg_catalog.pg_has_role(current_user, 'stratum_owner',
        CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
    THEN
        BEGIN
            EXECUTE format('GRANT stratum_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the role stratum_owner was made by another login'
                USING ERRCODE = 'SH002', HINT = format('whoever made the first hub on this server runs: GRANT stratum_owner TO %I', current_user);
        END;
    END IF;
END
$prepare$;

DO $prepare$
DECLARE
    wanted text;
    holder name;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['hub', 'hub_free', 'hub_day'] LOOP
        SELECT pg_catalog.pg_get_userbyid(n.nspowner) INTO holder FROM pg_catalog.pg_namespace n WHERE n.nspname = wanted;
        IF holder IS NULL THEN
            EXECUTE format('CREATE SCHEMA %I AUTHORIZATION stratum_owner', wanted);
        ELSIF holder <> 'stratum_owner' THEN
            RAISE EXCEPTION 'the database has a schema "%" that belongs to %; a hub needs that name', wanted, holder
                USING ERRCODE = 'SH002', HINT = 'use another database';
        END IF;
    END LOOP;
END
$prepare$;

SET LOCAL ROLE stratum_owner;

-- Made by the owner's role, so that it may give them to logins from PostgreSQL 16 on.
DO $prepare$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['stratum_free', 'stratum_pro', 'stratum_collector', 'stratum_admin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        END IF;
    END LOOP;
    IF NOT pg_catalog.pg_has_role('stratum_collector', 'stratum_pro', 'MEMBER') THEN
        GRANT stratum_pro TO stratum_collector;
    END IF;
END
$prepare$;

-- What later migrations make is nobody's until they say so.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

RESET ROLE;

-- What only the owner of the database can do, and need not: where PUBLIC has lost these, the groups have them.
DO $prepare$
BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO stratum_free, stratum_pro, stratum_collector, stratum_admin',
        pg_catalog.current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO stratum_collector', pg_catalog.current_database());
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$prepare$;

-- Up to PostgreSQL 14 everybody may make things in `public`.
DO $prepare$
BEGIN
    IF current_setting('server_version_num')::int < 150000 THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
EXCEPTION WHEN insufficient_privilege OR invalid_schema_name THEN
    NULL;
END
$prepare$;

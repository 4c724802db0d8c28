//! What a free login can get at with plain psql: nothing younger than the delay, and nothing that its tier withholds. Each
//! attack is a check of its own name; rows that it must not see carry values that nothing else has.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::process::Output;
use std::sync::OnceLock;

use postgres::{HOSTER, Postgres, SUPERUSER};
use secrecy::SecretString;
use stratum::hub::{HubUrl, connect, schema, users};

/// A price, a text and a score that are younger than the delay.
const YOUNG: [&str; 5] = ["987654321", "YOUNGTEXT", "1999999999999", "887766554", "594f554e47"];
/// What a signal, an opportunity and so on say that the tier withholds, however old.
const WITHHELD: [&str; 2] = ["SECRETBOOK", "53454352"];
const FREE: &str = "tiers_free";

const SEED: &str = r#"
INSERT INTO hub.name VALUES (1, 1, 'basketball_nba'), (2, 1, 'pinnacle'), (3, 1, 'h2h'), (5, 1, 'odds_api');
INSERT INTO hub.device (uuid, name, program) VALUES (gen_random_uuid(), 'SECRETBOOK', '1');
INSERT INTO hub.setting VALUES ('\x01', '{}');
INSERT INTO hub.lease VALUES ('SECRETBOOK', 1, 1, now(), now());
INSERT INTO hub.credit VALUES (1, 'SECRETBOOK', 1, 1, 'x', 1, 1);
INSERT INTO hub.account VALUES ('SECRETBOOK', 1, 1, 1, 1, 1, 1);
INSERT INTO hub.summary VALUES (1, current_date, 1, 1, 1, 1, 1999999999999);
INSERT INTO hub.entry (seq, kind, device, token, sport, source, first, last, since, until, changes, stored_at) VALUES
    (1, 1, 1, 1, 1, 1, 1, 2, 1, 2, 1, clock_timestamp() - interval '1 hour'),
    (2, 1, 1, 1, 1, 1, 3, 3, 1, 2, 1, clock_timestamp() - interval '10 minutes 5 seconds'),
    (3, 1, 1, 1, 1, 1, 4, 4, 1, 1999999999999, 1, clock_timestamp() - interval '9 minutes'),
    (4, 1, 1, 1, 1, 1, 5, 6, 1, 1999999999999, 1, clock_timestamp());
UPDATE hub.head SET entry = 4, look = 6;
INSERT INTO hub.event (source, provider_id, sport, home, away, commence, first_seen, first_look, status, home_score, away_score, changed)
    VALUES (1, 'e1', 1, 'Gulls', 'Bison', 1999999999999, 1, 1, 2, 887766554, 887766554, 4),
           (1, 'e2', 1, 'YOUNGTEXT', 'YOUNGTEXT', 1999999999999, 1, 5, 0, NULL, NULL, 4),
           (1, 'e3', 1, 'Hawks', 'Owls', 1500, 1, 2, 2, 33, 30, 1),
           (1, 'e4', 1, 'YOUNGTEXT', 'YOUNGTEXT', 1500, 1, 0, 0, NULL, NULL, 0);
DO $$
DECLARE
    d date := (now() AT TIME ZONE 'UTC')::date;
    n int;
    young boolean;
    word text;
BEGIN
    FOR n IN 1..6 LOOP
        young := n > 3;
        word := CASE WHEN young THEN 'YOUNGTEXT' ELSE 'old' END;
        INSERT INTO hub.look VALUES (n, d, 1, 1, n, 1, 1, CASE WHEN young THEN 1999999999999 ELSE n END, 'odds', 'SECRETBOOK',
            'SECRETBOOK', 5, 7, 1, 1, 1, 0, '\x02', word, '\x01');
        INSERT INTO hub.look_seen VALUES (n, d, convert_to(upper(word), 'UTF8'));
        INSERT INTO hub.event_life VALUES (n, d, 1, CASE WHEN young THEN 987654321 ELSE 1 END, NULL);
        INSERT INTO hub.event_start VALUES (n, d, 1, CASE WHEN young THEN 1999999999999 ELSE 1400 + n END);
        INSERT INTO hub.event_score VALUES (n, d, 1, CASE WHEN young THEN 2 ELSE 1 END, CASE WHEN young THEN 887766554 ELSE n END, 0);
        INSERT INTO hub.slot VALUES (n, d, 1, n, 1, 1, 1, CASE WHEN young THEN 987654321 ELSE 1 END, NULL);
        INSERT INTO hub.change VALUES (n, d, 1, n, NULL, CASE WHEN young THEN 987654321 ELSE 250 END, 0, NULL, NULL);
        INSERT INTO hub.keyframe VALUES (n, d, 1, convert_to(upper(word), 'UTF8'));
        INSERT INTO hub.quality VALUES (n, d, 1, 1, 1, 1, 1, 'error', 'SECRETBOOK');
        INSERT INTO hub.quality_end VALUES (n, d, 1, 987654321);
        INSERT INTO hub.point (look, day, event, market, subject, own_line, consensus, books)
            VALUES (n, d, 1, 1, 1, 0, CASE WHEN young THEN 987654321 ELSE 0.5 END, 5);
        INSERT INTO hub.signal VALUES (n, d, CASE WHEN young THEN word ELSE 's' END || n, 1, 1, 1, 1, 1, 0, 4, 'up', 'home', n, 40, 50,
            CASE n WHEN 2 THEN '{"id": "broken", SECRETBOOK' ELSE format('{"id":"%s","type":"MOVE","from_value":1.5,"to_value":2.5,
            "books":["SECRETBOOK"],"entry":{"book":"SECRETBOOK"},"evidence":[{"book":"SECRETBOOK"}],"components":{"x":"SECRETBOOK"},
            "velocity_minutes":"SECRETBOOK","sampling":{"y":"SECRETBOOK"},"panel":"SECRETBOOK","sharp":"SECRETBOOK",
            "detail":"SECRETBOOK","direction":"up","tier":"Low","market":{"nested":"SECRETBOOK"}}', word) END);
        INSERT INTO hub.opportunity VALUES (n, d, 1, 1, 1, 0, 1, 'SECRETBOOK', 1, 0.1, 'SECRETBOOK');
        INSERT INTO hub.close VALUES (n, d, 1, 1, 1, 0, 1, 1, 'A', NULL, 0, 'SECRETBOOK');
        INSERT INTO hub.clv VALUES (n, d, 'SECRETBOOK' || n, 1, 1, 1, 'h2h', 1, 1, 1, 1, 1, 0.5, 'A', NULL, 'SECRETBOOK');
        INSERT INTO hub.tally VALUES (n, d, 1, CASE WHEN young THEN 987654321 ELSE 1 END, 1, 1, 1, 1);
        INSERT INTO hub.raw_answer VALUES (decode(lpad(n::text, 2, '0'), 'hex'), d, 1, 1, 'SECRETBOOK');
        INSERT INTO hub.pack SELECT seq, 'SECRETBOOK' FROM hub.entry WHERE seq = n;
    END LOOP;
    -- Many of a kind, so that statistics would have something to tell.
    INSERT INTO hub.change SELECT 3, d, 1, g, NULL, 250 + g % 7, 0, NULL, NULL FROM generate_series(10, 3000) g;
    INSERT INTO hub.change SELECT 5, d, 1, g, NULL, 987654321, 0, NULL, NULL FROM generate_series(10, 3000) g;
END
$$;
"#;

/// Everything that the planner may know.
const ANALYSE: &str = "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT c.oid FROM pg_class c JOIN pg_namespace n \
    ON n.oid = relnamespace WHERE nspname LIKE 'hub%' AND relkind IN ('r', 'p') LOOP EXECUTE format('ANALYZE %s', t); END LOOP; END $$";

struct Hub {
    server: Postgres,
    channel: String,
}

fn shared() -> Option<&'static Hub> {
    static HUB: OnceLock<Option<Hub>> = OnceLock::new();
    HUB.get_or_init(|| {
        let server = Postgres::start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let url = HubUrl::parse(&SecretString::from(server.url(HOSTER))).expect("address");
        runtime.block_on(async {
            let mut c = connect(&url, "test").await.expect("connects");
            schema::init(&mut c).await.expect("init");
            for tier in ["free", "pro", "collector", "admin"] {
                let name = format!("tiers_{tier}");
                let password = users::add(&mut c, &name, tier, "for a test", false).await.expect("user");
                server.know(&name, secrecy::ExposeSecret::expose_secret(&password));
            }
        });
        server.ask(HOSTER, postgres::DATABASE, SEED);
        server.ask(HOSTER, postgres::DATABASE, ANALYSE);
        let channel = server.ask(HOSTER, postgres::DATABASE, "SELECT value FROM hub.meta WHERE key = 'channel'");
        Some(Hub { server, channel })
    })
    .as_ref()
}

fn text(o: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr))
}

impl Hub {
    /// Runs SQL as the free login, past errors; nothing that it must not see may be in what comes back.
    fn attack(&self, name: &str, sql: &str) -> String {
        let said = text(&self.server.psql_with(FREE, postgres::DATABASE, sql, &["ON_ERROR_STOP=0"]));
        // psql shows the line with an error; what the attacker wrote himself is no leak.
        let told: String = said.lines().filter(|l| !l.starts_with("LINE ")).map(|l| format!("{l}\n")).collect();
        for word in YOUNG.iter().chain(&WITHHELD) {
            assert!(sql.contains(word) || !told.contains(word), "{name}: shows {word}:\n{said}");
        }
        assert!(!told.contains(&self.channel), "{name}: shows the channel:\n{said}");
        said
    }

    /// As [`Self::attack`], and the answer is that this is not allowed.
    fn refused(&self, name: &str, sql: &str) {
        let said = self.attack(name, sql);
        assert!(said.contains("42501"), "{name}: not refused: {said}");
    }

    fn answer(&self, sql: &str) -> String {
        self.server.ask(FREE, postgres::DATABASE, sql)
    }
}

#[test]
fn views_show_what_is_old_enough() {
    let Some(hub) = shared() else { return };
    for view in [
        "look",
        "look_seen",
        "event_life",
        "event_start",
        "event_score",
        "slot",
        "keyframe",
        "point",
        "signal",
        "tally",
    ] {
        let column = if view == "look" { "id" } else { "look" };
        let said = hub.answer(&format!("SELECT string_agg(DISTINCT {column}::text, ',') FROM hub_free.{view}"));
        assert_eq!(said, "1,2,3", "{view}");
        hub.attack(view, &format!("SELECT * FROM hub_free.{view}"));
    }
    assert_eq!(hub.answer("SELECT max(look), count(*) > 2990 FROM hub_free.change"), "3|t");
    assert_eq!(hub.answer("SELECT string_agg(seq::text, ',' ORDER BY seq) FROM hub_free.entry"), "1,2");
    assert_eq!(hub.answer("SELECT entry, look FROM hub_free.head"), "2|3");
    assert_eq!(hub.answer("SELECT string_agg(key, ',' ORDER BY key) FROM hub_free.meta"), "delay,free_limit,id,schema");
    for view in ["change", "entry", "head", "meta", "name", "setting", "day", "event"] {
        hub.attack(view, &format!("SELECT * FROM hub_free.{view}"));
    }
    let look = hub.answer("SELECT scope, origin, cost, remaining FROM hub_free.look WHERE id = 1");
    assert_eq!(look, "{}|||", "what a look cost and what it was asked for");
}

#[test]
fn an_event_is_shown_as_it_was_known_then() {
    let Some(hub) = shared() else { return };
    let said = hub.answer(
        "SELECT provider_id, commence, status, home_score, away_score, changed FROM hub_free.event ORDER BY provider_id",
    );
    assert_eq!(said, "e1|1403|1|3|0|2\ne3|1500|2|33|30|1");
}

#[test]
fn a_signal_is_shown_in_part() {
    let Some(hub) = shared() else { return };
    let said = hub.answer(
        "SELECT string_agg(k, ',' ORDER BY k) FROM hub_free.signal, jsonb_object_keys(json::jsonb) k WHERE look = 1",
    );
    assert_eq!(said, "direction,from_value,id,tier,to_value,type");
    // One that cannot be read shows nothing, and no error that quotes it.
    assert_eq!(hub.answer("SELECT json FROM hub_free.signal WHERE look = 2"), "{}");
    for sql in [
        "SELECT * FROM hub_free.signal WHERE json LIKE '%SECRET%'",
        "SELECT json::jsonb -> 'books', json::jsonb -> 'entry', json::jsonb #> '{market,nested}' FROM hub_free.signal",
        "SELECT * FROM hub_free.signal WHERE json::int > 0",
        "SELECT row_to_json(s) FROM hub_free.signal s",
        "SELECT query_to_xml('SELECT * FROM hub_free.signal', true, true, '')",
    ] {
        hub.attack(sql, sql);
    }
}

#[test]
fn what_a_tier_does_not_have_is_not_there() {
    let Some(hub) = shared() else { return };
    let all = hub.server.ask(
        SUPERUSER,
        postgres::DATABASE,
        "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE nspname IN ('hub', 'hub_day') AND relkind IN ('r', 'p', 'v', 'm', 'S') AND relname !~ '_2026|_2027'",
    );
    assert!(all.lines().count() > 25, "{all}");
    for table in all.lines() {
        hub.refused(table, &format!("SELECT * FROM {table}"));
        hub.refused(table, &format!("COPY {table} TO STDOUT"));
    }
    let day =
        hub.server.ask(SUPERUSER, postgres::DATABASE, "SELECT to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD')");
    for table in ["change", "point", "signal", "look"] {
        hub.refused("a partition itself", &format!("SELECT * FROM hub_day.{table}_{day}"));
    }
    for name in [
        "opportunity",
        "close",
        "clv",
        "raw_answer",
        "pack",
        "quality",
        "quality_end",
        "lease",
        "device",
        "credit",
        "account",
        "summary",
        "audit",
        "login",
    ] {
        let said = hub.attack(name, &format!("SELECT * FROM hub_free.{name}"));
        assert!(said.contains("42P01"), "{name}: {said}");
    }
}

#[test]
fn no_right_is_given_that_is_not_meant() {
    let Some(hub) = shared() else { return };
    let any = "SELECT string_agg(c.oid::regclass::text, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
        WHERE nspname IN ('hub', 'hub_day') AND (CASE relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'USAGE,SELECT,UPDATE') \
        WHEN 'i' THEN false WHEN 'I' THEN false \
        ELSE has_table_privilege(c.oid, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER') \
          OR has_any_column_privilege(c.oid, 'SELECT,INSERT,UPDATE,REFERENCES') END)";
    assert_eq!(hub.answer(any), "");
    assert_eq!(
        hub.answer("SELECT has_schema_privilege('hub', 'USAGE'), has_schema_privilege('hub_day', 'USAGE')"),
        "f|f"
    );
    let writes = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'hub_free' \
        AND has_table_privilege(c.oid, 'INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER')";
    assert_eq!(hub.answer(writes), "0");
    let calls = "SELECT string_agg(proname, ',' ORDER BY proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace \
        WHERE nspname = 'hub' AND has_function_privilege(p.oid, 'EXECUTE') AND proname !~ '^desk_'";
    assert_eq!(hub.answer(calls), "free_limit,horizon,horizon_entry,signal_in_part");
    let leaks = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'hub_free' \
        AND relkind = 'v' AND NOT coalesce('security_barrier=true' = ANY (reloptions) OR 'security_barrier' = ANY (reloptions), false)";
    assert_eq!(hub.server.ask(SUPERUSER, postgres::DATABASE, leaks), "0", "views without a barrier");
    let open = "SELECT string_agg(c.oid::regclass::text, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
        WHERE nspname IN ('hub', 'hub_day') AND relkind IN ('r', 'p') AND NOT relrowsecurity";
    assert_eq!(hub.server.ask(SUPERUSER, postgres::DATABASE, open), "", "tables without row-level security");
    for sql in [
        "SELECT * FROM information_schema.tables WHERE table_schema = 'hub' OR table_schema = 'hub_day'",
        "SELECT * FROM information_schema.columns WHERE table_schema IN ('hub', 'hub_day')",
        "SELECT * FROM information_schema.role_table_grants WHERE table_schema IN ('hub', 'hub_day')",
    ] {
        assert_eq!(hub.answer(sql), "", "{sql}");
    }
}

#[test]
fn functions_of_the_asker_see_no_hidden_row() {
    let Some(hub) = shared() else { return };
    let leak = |of: &str, view: &str| {
        format!(
            "CREATE FUNCTION pg_temp.leak(x text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
             $$BEGIN RAISE NOTICE 'saw %', x; RETURN true; END$$; \
             SELECT count(*) FROM hub_free.{view} WHERE pg_temp.leak({of}::text);"
        )
    };
    for (of, view) in [
        ("price", "change"),
        ("consensus", "point"),
        ("seen", "look_seen"),
        ("state", "keyframe"),
        ("json", "signal"),
        ("home_score", "event"),
        ("home_score", "event_score"),
        ("commence", "event"),
        ("received_at", "look"),
        ("scope", "look"),
        ("until", "entry"),
        ("value", "meta"),
    ] {
        let said = hub.attack(&format!("leak {view}.{of}"), &leak(of, view));
        assert!(said.contains("saw"), "{view}.{of}: the function was called: {said}");
    }
    // An operator and an aggregate of the asker.
    hub.attack(
        "leaky operator",
        "CREATE FUNCTION pg_temp.op(bigint, bigint) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
         $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$; \
         CREATE OPERATOR pg_temp.### (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_temp.op); \
         SELECT count(*) FROM hub_free.change WHERE price OPERATOR(pg_temp.###) 1",
    );
    let said = hub.attack(
        "leakproof by claim",
        "CREATE FUNCTION pg_temp.f(bigint) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'",
    );
    assert!(said.contains("42501"), "{said}");
}

#[test]
fn errors_tell_nothing_of_hidden_rows() {
    let Some(hub) = shared() else { return };
    // Were a hidden row looked at, there would be an error.
    for sql in [
        "SELECT count(*) FROM hub_free.change WHERE 1 / (price - 987654321) <> 5",
        "SELECT count(*) FROM hub_free.change WHERE 1 / (look - 4) <> 5",
        "SELECT count(*) FROM hub_free.event WHERE 1 / (coalesce(home_score, 0) - 887766554) <> 5",
        "SELECT count(*) FROM hub_free.event WHERE 1 / (commence - 1999999999999) <> 5",
        "SELECT count(*) FROM hub_free.entry WHERE 1 / (until - 1999999999999) <> 5",
        "SELECT count(*) FROM hub_free.signal WHERE (CASE WHEN id LIKE 'YOUNG%' THEN 'x' ELSE '1' END)::int = 1",
        "SELECT count(*) FROM hub_free.look_seen WHERE (CASE WHEN seen = 'YOUNGTEXT' THEN 'x' ELSE '1' END)::int = 1",
    ] {
        let said = hub.attack(sql, sql);
        assert!(!said.contains("ERROR"), "{sql}: {said}");
    }
    for sql in [
        "SELECT (price::text || 'x')::int FROM hub_free.change",
        "SELECT seen::text::int FROM hub_free.look_seen",
        "SELECT json::int FROM hub_free.signal",
        "INSERT INTO hub_free.name VALUES (1, 1, 'x')",
        "UPDATE hub_free.change SET price = 1",
        "SELECT * FROM hub_free.change FOR UPDATE",
        "DELETE FROM hub_free.event",
        "ALTER VIEW hub_free.change SET (security_barrier = false)",
        "CREATE OR REPLACE VIEW hub_free.change AS SELECT 1",
        "CREATE VIEW hub_free.mine AS SELECT 1",
    ] {
        let said = hub.attack(sql, sql);
        assert!(said.contains("ERROR"), "{sql}: {said}");
    }
}

#[test]
fn plans_and_statistics_tell_nothing_of_hidden_values() {
    let Some(hub) = shared() else { return };
    // One price is in thousands of hidden rows, the other in none at all; plan, estimates and counts are the same.
    for explain in ["EXPLAIN (VERBOSE)", "EXPLAIN (ANALYZE, VERBOSE, TIMING off, SUMMARY off, BUFFERS off)"] {
        let of = |price: &str| {
            hub.attack("explain", &format!("{explain} SELECT look FROM hub_free.change WHERE price = {price}"))
                .replace(price, "PRICE")
                .replace("'PRICE'::bigint", "PRICE")
        };
        assert_eq!(of("987654321"), of("187654321"), "{explain}");
        let of = |score: &str| {
            hub.attack("explain", &format!("{explain} SELECT id FROM hub_free.event WHERE home_score = {score}"))
                .replace(score, "SCORE")
        };
        assert_eq!(of("887766554"), of("117766554"), "{explain}");
        // By what an index is on: a start that was put off lately, and a signal's id.
        let of = |start: &str| {
            let sql = format!(
                "SET enable_seqscan = off; {explain} SELECT id FROM hub_free.event WHERE sport = 1 AND commence = {start}"
            );
            hub.attack("explain", &sql).replace(start, "START").replace("'START'::bigint", "START")
        };
        assert_eq!(of("1999999999999"), of("1888888888888"), "{explain}");
        let of = |id: &str| {
            let sql = format!("SET enable_seqscan = off; {explain} SELECT look FROM hub_free.signal WHERE id = '{id}'");
            hub.attack("explain", &sql).replace(id, "ID")
        };
        assert_eq!(of("YOUNGTEXT5"), of("OTHERTEXT5"), "{explain}");
    }
    for table in ["pg_stats", "pg_stats_ext", "pg_stats_ext_exprs"] {
        let said = hub.answer(&format!("SELECT count(*) FROM {table} WHERE schemaname LIKE 'hub%'"));
        assert_eq!(said, "0", "{table}");
    }
    hub.refused("pg_statistic", "SELECT * FROM pg_statistic");
    let kept = "SELECT count(*) FROM pg_stats WHERE schemaname LIKE 'hub%' AND attname IN ('price', 'line', 'json', 'home_score', \
        'consensus', 'fair1', 'seen', 'state', 'commence', 'id') AND tablename NOT IN ('device', 'setting')";
    assert_eq!(hub.server.ask(SUPERUSER, postgres::DATABASE, kept), "0", "statistics of what was quoted");
    assert_eq!(
        hub.answer("SELECT count(*) FROM pg_sequences WHERE schemaname = 'hub' AND last_value IS NOT NULL"),
        "0"
    );
    for view in [
        "pg_stat_activity",
        "pg_locks",
        "pg_stat_user_tables",
        "pg_settings",
        "pg_proc",
        "pg_views",
        "pg_policies",
        "pg_roles",
        "pg_stat_ssl",
    ] {
        hub.attack(view, &format!("SELECT * FROM {view}"));
    }
}

#[test]
fn no_other_role_can_be_taken_on() {
    let Some(hub) = shared() else { return };
    for role in ["stratum_pro", "stratum_collector", "stratum_admin", "stratum_owner", "tiers_pro", HOSTER, SUPERUSER] {
        hub.refused(role, &format!("SET ROLE {role}"));
        hub.refused(role, &format!("SET SESSION AUTHORIZATION {role}"));
        hub.attack(role, &format!("GRANT {role} TO {FREE}"));
    }
    // Before 15 the schema is everybody's unless its owner, whom providers keep to themselves, says otherwise.
    if hub.server.version() >= 15 {
        hub.refused("public", "CREATE TABLE public.mine (x int)");
        hub.refused("public", "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    }
    for sql in [
        "CREATE TABLE hub.mine (x int)",
        "CREATE FUNCTION hub_free.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE ROLE more",
        "ALTER SYSTEM SET log_statement = 'all'",
        "SET session_replication_role = replica",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
        "SELECT lo_import('/etc/passwd')",
        "SELECT hub.horizon()",
        "SELECT hub.user_list()",
        "SELECT hub.make_days(current_date, current_date)",
        "SELECT hub.audit_append('a', 'b', NULL, NULL, 'because')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hoster' AND false OR hub.horizon() = 1",
    ] {
        hub.refused(sql, sql);
    }
    // Row-level security cannot be talked away.
    hub.attack(
        "row_security off",
        "SET row_security = off; SELECT max(look), max(price) FROM hub_free.change; SELECT * FROM hub.change",
    );
}

#[test]
fn names_in_front_do_not_move_the_horizon() {
    let Some(hub) = shared() else { return };
    let said = hub.attack(
        "search path",
        "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''infinity'''; \
         CREATE FUNCTION pg_temp.horizon() RETURNS bigint LANGUAGE sql AS 'SELECT 99::bigint'; \
         CREATE FUNCTION pg_temp.horizon_entry() RETURNS bigint LANGUAGE sql AS 'SELECT 99::bigint'; \
         CREATE TEMP TABLE entry (seq bigint, last bigint, kind int, stored_at timestamptz); \
         INSERT INTO entry VALUES (99, 99, 1, '-infinity'); \
         CREATE TEMP TABLE meta (key text, value text); INSERT INTO meta VALUES ('delay', '-1 day'); \
         SET search_path = pg_temp, hub, hub_free, pg_catalog; SET timezone = 'Pacific/Kiritimati'; SET datestyle = 'German'; \
         SET intervalstyle = 'iso_8601'; SELECT 'cut', max(look) FROM hub_free.change; SELECT 'head', * FROM hub_free.head;",
    );
    assert!(said.contains("cut|3") && said.contains("head|t|2|3"), "{said}");
}

#[test]
fn news_are_not_heard() {
    let Some(hub) = shared() else { return };
    std::thread::scope(|s| {
        let listener = s.spawn(|| {
            hub.attack(
                "listen",
                "LISTEN stratum; LISTEN hub; LISTEN \"stratum_\"; LISTEN \"stratum_*\"; LISTEN \"stratum_%\"; LISTEN channel; \
                 SELECT 'ready'; SELECT pg_sleep(2); SELECT 1; SELECT * FROM pg_listening_channels(); SELECT pg_sleep(1); SELECT 1",
            )
        });
        postgres::wait_until("the listener listens", || {
            let ask =
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tiers_free' AND query LIKE '%pg_sleep(2)%'";
            hub.server.ask(SUPERUSER, postgres::DATABASE, ask) != "0"
        });
        hub.server.ask("tiers_collector", postgres::DATABASE, &format!("SELECT pg_notify('{}', '5')", hub.channel));
        let said = listener.join().expect("listener");
        assert!(said.contains("ready") && !said.contains("Asynchronous"), "{said}");
    });
    // Somebody who may know it does hear them.
    let sql = format!("LISTEN {0}; SELECT pg_notify('{0}', '5')", hub.channel);
    assert!(text(&hub.server.psql("tiers_pro", &sql)).contains("Asynchronous"));
}

#[test]
fn a_right_given_by_mistake_shows_nothing_young() {
    let Some(hub) = shared() else { return };
    let (server, database) = (&hub.server, hub.server.database("second_line"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let url = HubUrl::parse(&SecretString::from(server.url_to(HOSTER, &database))).expect("address");
    runtime.block_on(async {
        let mut c = connect(&url, "test").await.expect("connects");
        schema::init(&mut c).await.expect("init");
    });
    server.ask(HOSTER, &database, SEED);
    server.ask(
        HOSTER,
        &database,
        "GRANT USAGE ON SCHEMA hub, hub_day TO stratum_free; GRANT SELECT ON ALL TABLES IN SCHEMA hub, hub_day TO stratum_free",
    );
    let ask = |sql: &str| server.ask(FREE, &database, sql);
    for table in [
        "look_seen",
        "event_life",
        "event_start",
        "event_score",
        "slot",
        "change",
        "keyframe",
        "point",
        "signal",
        "tally",
    ] {
        assert_eq!(ask(&format!("SELECT max(look) FROM hub.{table}")), "3", "{table}");
    }
    assert_eq!(ask("SELECT max(id) FROM hub.look"), "3");
    assert_eq!(ask("SELECT max(seq) FROM hub.entry"), "2");
    assert_eq!(ask("SELECT string_agg(provider_id, ',') FROM hub.event"), "e3");
    assert_eq!(ask("SELECT string_agg(key, ',' ORDER BY key) FROM hub.meta"), "delay,free_limit,id,schema");
    for table in [
        "opportunity",
        "close",
        "clv",
        "raw_answer",
        "pack",
        "quality",
        "lease",
        "device",
        "credit",
        "account",
        "head",
        "summary",
        "audit",
        "login",
    ] {
        assert_eq!(ask(&format!("SELECT count(*) FROM hub.{table}")), "0", "{table}");
    }
    let part = server.ask(
        SUPERUSER,
        &database,
        "SELECT 'hub_day.change_' || to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD')",
    );
    assert_eq!(ask(&format!("SELECT count(*) FROM {part}")), "0");
}

#[test]
fn the_other_tiers_see_what_is_theirs() {
    let Some(hub) = shared() else { return };
    let ask = |who: &str, sql: &str| hub.server.ask(who, postgres::DATABASE, sql);
    for who in ["tiers_pro", "tiers_collector"] {
        assert_eq!(ask(who, "SELECT max(look), max(price) FROM hub.change"), "6|987654321", "{who}");
        assert_eq!(ask(who, "SELECT count(*) FROM hub.opportunity"), "6");
        assert_eq!(ask(who, "SELECT value FROM hub.meta WHERE key = 'channel'"), hub.channel);
    }
    let refused = |who: &str, sql: &str| {
        let said = text(&hub.server.psql(who, sql));
        assert!(said.contains("42501"), "{who}: {sql}: {said}");
    };
    for sql in [
        "DELETE FROM hub.change",
        "INSERT INTO hub.name VALUES (1, 9, 'x')",
        "UPDATE hub.head SET look = 9",
        "SELECT * FROM hub.audit",
    ] {
        refused("tiers_pro", sql);
    }
    for sql in [
        "TRUNCATE hub.change",
        "UPDATE hub.entry SET last = 9",
        "DELETE FROM hub.entry",
        "INSERT INTO hub.name VALUES (1, 9, 'x')",
        "DELETE FROM hub.change",
        "UPDATE hub.meta SET value = '0 s'",
        "INSERT INTO hub.day VALUES ('2030-01-01')",
        "SELECT * FROM hub.login",
        "DROP TABLE hub.change",
    ] {
        refused("tiers_collector", sql);
    }
    // A collector's way of writing is the merge, and that alone: what it stages goes no other way into a table.
    let said = text(&hub.server.psql(
        "tiers_collector",
        "BEGIN; CREATE TEMP TABLE staged (LIKE hub.tally) ON COMMIT DROP;\nCOPY staged FROM STDIN;\n\
         99\t2026-01-01\t1\t1\t1\t1\t1\t1\n\\.\nSELECT hub.make_days('2026-01-01', '2026-01-01'); \
         INSERT INTO hub.tally SELECT * FROM staged; ROLLBACK;",
    ));
    assert!(said.contains("42501") && said.contains("tally"), "{said}");
}

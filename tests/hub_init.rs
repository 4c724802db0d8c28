//! `stratum hub init` and the life of users, with the real program against a real server, as a login that hosted providers
//! give: no superuser, no extension. Against another version of PostgreSQL: `STRATUM_TEST_PG_BIN`.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "common/postgres.rs"]
mod postgres;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use postgres::{Checked, HOSTER, Postgres, SUPERUSER};
use secrecy::SecretString;
use stratum::hub::{HubError, HubUrl, Tier, connect, schema, tier_of};

fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(|| Postgres::start_with("log_statement = 'all'\nlog_min_duration_statement = 0\n")).as_ref()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(future)
}

fn parsed(text: &str) -> HubUrl {
    HubUrl::parse(&SecretString::from(text)).expect("address")
}

/// The program with this hub.
fn stratum(url: &str, ca: &Path, args: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("folder");
    Command::new(env!("CARGO_BIN_EXE_stratum"))
        .args(args)
        .env_remove("STRATUM_CONFIG")
        .env("STRATUM_DATA_DIR", home.path())
        .env("HOME", home.path())
        .env("STRATUM_HUB_URL", url)
        .env("STRATUM_HUB_CA_FILE", ca)
        .output()
        .expect("runs")
}

fn text(o: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr))
}

fn ok(o: &Output) -> String {
    assert!(o.status.success(), "{}", text(o));
    String::from_utf8_lossy(&o.stdout).into_owned()
}

/// A hub in a database of its own.
fn hub(server: &Postgres, name: &str) -> String {
    let database = server.database(name);
    ok(&stratum(&server.url_to(HOSTER, &database), &server.ca_file(), &["hub", "init"]));
    database
}

/// Makes a user with the program and makes it known to the server's client. Answers its address.
fn user(server: &Postgres, database: &str, name: &str, tier: &str) -> String {
    let args = ["hub", "user", "add", name, "--tier", tier, "--reason", "for a test", "--json"];
    let shown = ok(&stratum(&server.url_to(HOSTER, database), &server.ca_file(), &args));
    let rows: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let address = rows[0]["address"].as_str().expect("address").to_owned();
    let password = address.split_once("://").and_then(|(_, r)| r.split_once('@')).and_then(|(l, _)| l.split_once(':'));
    server.know(name, password.expect("password").1);
    address
}

#[test]
fn init_may_be_run_again_and_says_what_it_did() {
    let Some(server) = shared() else { return };
    let database = server.database("twice");
    let (url, ca) = (server.url_to(HOSTER, &database), server.ca_file());
    let before = stratum(&url, &ca, &["hub", "status"]);
    assert!(before.status.code() == Some(3) && text(&before).contains("stratum hub init"), "{}", text(&before));
    let first = ok(&stratum(&url, &ca, &["hub", "init"]));
    assert!(first.contains("0001_hub") && first.contains("user add"), "{first}");
    let facts = "SELECT md5(string_agg(c.oid::text || c.relname, ',' ORDER BY c.oid)) FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname LIKE 'hub%'";
    let made = server.ask(SUPERUSER, &database, facts);
    let meta = server.ask(HOSTER, &database, "SELECT string_agg(key || value, ',' ORDER BY key) FROM hub.meta");
    let second = ok(&stratum(&url, &ca, &["hub", "init"]));
    assert!(second.contains("up to date"), "{second}");
    assert_eq!(made, server.ask(SUPERUSER, &database, facts), "nothing was made again");
    assert_eq!(meta, server.ask(HOSTER, &database, "SELECT string_agg(key || value, ',' ORDER BY key) FROM hub.meta"));
    let status = ok(&stratum(&url, &ca, &["hub", "status", "--json"]));
    let rows: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!((&rows[0]["tier"], &rows[0]["schema"]), (&"owner".into(), &schema::known().into()), "{status}");
    // Nothing of it is a superuser's, and nothing is an extension's.
    let owners = server.ask(
        SUPERUSER,
        &database,
        "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ',') FROM pg_class c JOIN pg_namespace n \
         ON n.oid = relnamespace WHERE nspname LIKE 'hub%'; SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'",
    );
    assert_eq!(owners, "stratum_owner\n0");
    assert_eq!(server.ask(SUPERUSER, &database, "SELECT rolsuper FROM pg_roles WHERE rolname = 'hoster'"), "f");
}

#[test]
fn a_newer_or_altered_schema_is_left_alone() {
    let Some(server) = shared() else { return };
    let database = hub(server, "newer");
    let (url, ca) = (server.url_to(HOSTER, &database), server.ca_file());
    let newer = "INSERT INTO hub.migration (version, name, checksum, program) VALUES (9001, '9001_later', '', '99')";
    server.ask(HOSTER, &database, newer);
    let refused = stratum(&url, &ca, &["hub", "init"]);
    assert!(refused.status.code() == Some(4) && text(&refused).contains("update stratum"), "{}", text(&refused));
    server.ask(HOSTER, &database, "UPDATE hub.meta SET value = '9001' WHERE key = 'schema'");
    for command in ["init", "status"] {
        let refused = stratum(&url, &ca, &["hub", command]);
        assert!(refused.status.code() == Some(4) && text(&refused).contains("9001"), "{}", text(&refused));
    }
    server.ask(
        HOSTER,
        &database,
        "DELETE FROM hub.migration WHERE version = 9001; UPDATE hub.meta SET value = '1' WHERE key = 'schema'",
    );
    let older = stratum(&url, &ca, &["hub", "status"]);
    assert!(older.status.code() == Some(1) && text(&older).contains("its owner runs"), "{}", text(&older));
    server.ask(HOSTER, &database, "UPDATE hub.migration SET checksum = '\\x00' WHERE version = 2");
    let refused = stratum(&url, &ca, &["hub", "init"]);
    assert!(refused.status.code() == Some(4) && text(&refused).contains("migration 2"), "{}", text(&refused));
}

#[test]
fn a_login_with_just_enough_rights_is_enough_and_one_with_fewer_is_told() {
    let Some(server) = shared() else { return };
    // The groups are there already, and another's.
    hub(server, "before_barely");
    server.know("barely", "barely1");
    server.know("nobody_much", "nobody1");
    let sql = "CREATE ROLE barely LOGIN CREATEROLE PASSWORD 'barely1'; CREATE ROLE nobody_much LOGIN PASSWORD 'nobody1'; \
               CREATE DATABASE others; GRANT CREATE ON DATABASE others TO barely";
    for line in sql.split(';') {
        server.ask(SUPERUSER, "postgres", line);
    }
    let ca = server.ca_file();
    let refused = stratum(&server.url_to("nobody_much", "others"), &ca, &["hub", "init"]);
    let said = text(&refused);
    assert!(refused.status.code() == Some(1) && (said.contains("CREATEROLE") || said.contains("GRANT")), "{said}");
    if server.version() >= 16 {
        let refused = stratum(&server.url_to("barely", "others"), &ca, &["hub", "init"]);
        assert!(text(&refused).contains("GRANT stratum_owner TO barely"), "{}", text(&refused));
        server.ask(HOSTER, "postgres", "GRANT stratum_owner TO barely");
    }
    ok(&stratum(&server.url_to("barely", "others"), &ca, &["hub", "init"]));
    ok(&stratum(&server.url_to("barely", "others"), &ca, &["hub", "init"]));
    // Somebody else's schema of that name is not touched.
    let taken = server.database("taken");
    server.ask(HOSTER, &taken, "CREATE SCHEMA hub; CREATE TABLE hub.mine (x int)");
    let refused = stratum(&server.url_to(HOSTER, &taken), &ca, &["hub", "init"]);
    assert!(refused.status.code() == Some(1) && text(&refused).contains("another database"), "{}", text(&refused));
}

#[test]
fn two_at_once_make_one_hub() {
    let Some(server) = shared() else { return };
    let (one, other) = (server.database("race_a"), server.database("race_b"));
    let ca = server.ca_file();
    let urls = [&one, &one, &one, &other, &other].map(|d| server.url_to(HOSTER, d));
    let results: Vec<Output> = std::thread::scope(|s| {
        let all: Vec<_> = urls.iter().map(|u| s.spawn(|| stratum(u, &ca, &["hub", "init"]))).collect();
        all.into_iter().map(|t| t.join().expect("thread")).collect()
    });
    for r in &results {
        ok(r);
    }
    for database in [&one, &other] {
        let count = server.ask(HOSTER, database, "SELECT count(*) FROM hub.migration; SELECT count(*) FROM hub.head");
        assert_eq!(count, format!("{}\n1", schema::MIGRATIONS.len()));
    }
}

#[test]
fn days_are_made_once_by_whoever_comes_first() {
    let Some(server) = shared() else { return };
    let database = hub(server, "days");
    user(server, &database, "days_collector", "collector");
    user(server, &database, "days_pro", "pro");
    let ask = |sql: &str| server.ask("days_collector", &database, sql);
    std::thread::scope(|s| {
        for _ in 0..4 {
            s.spawn(|| ask("SELECT hub.make_days('2026-01-01', '2026-01-05')"));
        }
    });
    assert_eq!(ask("SELECT count(*) FROM hub.day WHERE day BETWEEN '2026-01-01' AND '2026-01-05'"), "5");
    let tables = server.ask(HOSTER, &database, "SELECT count(*) FROM pg_partitioned_table");
    let parts = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                 WHERE nspname = 'hub_day' AND relkind = 'r' AND relname LIKE '%\\_20260103'";
    assert_eq!(server.ask(HOSTER, &database, parts), tables);
    let row = "SET ROLE stratum_owner;
        INSERT INTO hub.change (look, day, event, slot, price, status) VALUES (1, '2026-01-03', 1, 1, 250, 0)";
    server.ask(HOSTER, &database, row);
    // Somebody's reading does not hold it up, and it does not hold up a reader.
    let slow = "BEGIN; SELECT count(*) FROM hub.change; SELECT pg_sleep(3); COMMIT";
    std::thread::scope(|s| {
        let reader = s.spawn(|| server.ask("days_pro", &database, slow));
        postgres::wait_until("the reader reads", || {
            server.ask(
                SUPERUSER,
                &database,
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND usename = 'days_pro'",
            ) == "1"
        });
        assert_eq!(ask("SET lock_timeout = '1s'; SELECT hub.make_days('2026-01-06', '2026-01-06')"), "1");
        reader.join().expect("reader");
    });
    let refused = server.psql_in("days_collector", &database, "SELECT hub.make_days('2026-01-01', '2036-01-01')");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("SH002"));
    for (who, sql) in [
        ("days_pro", "SELECT hub.make_days('2026-02-01', '2026-02-01')"),
        ("days_collector", "SELECT hub.drop_days('2026-01-05')"),
    ] {
        let refused = server.psql_in(who, &database, sql);
        assert!(String::from_utf8_lossy(&refused.stderr).contains("42501"), "{who}: {sql}");
    }
    assert_eq!(server.ask(HOSTER, &database, "SELECT hub.drop_days('2026-01-05')"), "4");
    assert_eq!(ask("SELECT count(*) FROM hub.change"), "0");
    assert_eq!(server.ask(HOSTER, &database, parts), "0");
    // Partitions are what the tables are: keys, and no statistics of what was quoted.
    let keys = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname = 'change_20260105' AND indisprimary; \
                SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute \
                WHERE attrelid = 'hub_day.change_20260105'::regclass AND attstattarget = 0 AND attnum > 0";
    assert_eq!(server.ask(HOSTER, &database, keys), "1\nline,price,status,last_seen,provider_update");
}

#[test]
fn the_life_of_a_user() {
    let Some(server) = shared() else { return };
    let database = hub(server, "life");
    let ca = server.ca_file();
    let admin = user(server, &database, "life_admin", "admin");
    let by = |args: &[&str]| stratum(&admin, &ca, &[&["hub"], args].concat());
    let shown = ok(&by(&["user", "add", "life_ann", "--tier", "pro", "--reason", "joined the desk"]));
    let address_in = |shown: &str| shown.lines().find(|l| l.starts_with("postgres://")).expect("address").to_owned();
    let address = address_in(&shown);
    assert!(shown.contains("hub.ca_file") && shown.matches("postgres://").count() == 1, "{shown}");
    let with_ca = |a: &str| format!("{a}&sslrootcert={}", ca.display());
    run(async {
        let mut c = connect(&parsed(&with_ca(&address)), "test").await.expect("connects");
        assert_eq!(tier_of(&mut c).await.expect("tier"), Tier::Pro);
        let facts = schema::facts(&mut c).await.expect("facts");
        assert!(facts.channel.is_some_and(|c| c.starts_with("stratum_") && c.len() == 40));
        // The tier changes under it.
        ok(&by(&["user", "set-tier", "life_ann", "free", "--reason", "trial is over"]));
        let mut c = connect(&parsed(&with_ca(&address)), "test").await.expect("connects");
        let facts = schema::facts(&mut c).await.expect("facts");
        assert_eq!((facts.tier, facts.channel, facts.free_limit), (Tier::Free, None, 3));
        let e = HubError::from(c.client().batch_execute("SELECT * FROM hub.meta").await.expect_err("withheld"));
        assert!(matches!(e, HubError::Withheld { .. }), "{e}");
        let e = schema::init(&mut c).await.expect_err("not the owner");
        assert!(matches!(e, HubError::Denied { .. }), "{e}");
        ok(&by(&["user", "disable", "life_ann", "--reason", "left the desk"]));
        assert!(c.client().batch_execute("SELECT 1").await.is_err(), "its sessions have ended");
        let e = connect(&parsed(&with_ca(&address)), "test").await.expect_err("shut out");
        assert!(matches!(e, HubError::Refused { .. }), "{e}");
        let refused = by(&["user", "set-tier", "life_ann", "pro", "--reason", "back again"]);
        assert!(text(&refused).contains("rotate"), "{}", text(&refused));
        let again = ok(&by(&["user", "rotate", "life_ann", "--reason", "back again"]));
        let e = connect(&parsed(&with_ca(&address)), "test").await.expect_err("the old password");
        assert!(matches!(e, HubError::Refused { .. }), "{e}");
        let mut c = connect(&parsed(&with_ca(&address_in(&again))), "test").await.expect("connects");
        assert_eq!(tier_of(&mut c).await.expect("tier"), Tier::Free);
    });
    let list = ok(&by(&["user", "list", "--json"]));
    let rows: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(
        (&rows[1]["name"], &rows[1]["tier"], &rows[1]["disabled"]),
        (&"life_ann".into(), &"free".into(), &false.into())
    );
    let audit = ok(&by(&["audit", "--json"]));
    let rows: serde_json::Value = serde_json::from_str(&audit).expect("JSON");
    let told: Vec<String> = (rows.as_array().expect("rows").iter())
        .map(|r| {
            format!(
                "{} {} {} {}",
                r["n"],
                r["actor"].as_str().unwrap(),
                r["action"].as_str().unwrap(),
                r["subject"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "1 hoster add life_admin",
            "2 life_admin add life_ann",
            "3 life_admin set-tier life_ann",
            "4 life_admin disable life_ann",
            "5 life_admin rotate life_ann"
        ]
    );
    assert_eq!(rows[2]["reason"], "trial is over");
    assert!(ok(&by(&["audit", "--check"])).contains("5 rows"));
    // Whoever is no administrator manages nobody.
    let free = server.url_to(HOSTER, &database).replace(&format!("{HOSTER}:{}", server.password(HOSTER)), "life_x:y");
    assert!(!stratum(&free, &ca, &["hub", "user", "list"]).status.success());
}

#[test]
fn an_administrator_cannot_do_more_than_that() {
    let Some(server) = shared() else { return };
    let database = hub(server, "limits");
    user(server, &database, "limits_admin", "admin");
    user(server, &database, "limits_pro", "pro");
    let code = |who: &str, sql: &str| {
        let o = server.psql_in(who, &database, sql);
        let said = text(&o);
        assert!(!o.status.success(), "{who}: {sql}: {said}");
        said
    };
    let refused = |who: &str, sql: &str| {
        let said = code(who, sql);
        assert!(said.contains("42501") || said.contains("SH002"), "{who}: {sql}: {said}");
    };
    let password = "abcdefghijklmnopqrstuvwxyz01";
    for sql in [
        format!("SELECT hub.user_add('limits_more', 'admin', '{password}', 'because')"),
        format!("SELECT hub.user_rotate('hoster', '{password}', 'because')"),
        format!("SELECT hub.user_rotate('postgres', '{password}', 'because')"),
        format!("SELECT hub.user_rotate('limits_admin', '{password}', 'because')"),
        format!("SELECT hub.user_add('hoster', 'pro', '{password}', 'because')"),
        format!("SELECT hub.user_add('stratum_x', 'pro', '{password}', 'because')"),
        format!("SELECT hub.user_add('pg_x', 'pro', '{password}', 'because')"),
        format!("SELECT hub.user_add('x\"; DROP TABLE hub.audit; --', 'pro', '{password}', 'because')"),
        format!("SELECT hub.user_add('limits_y', 'owner', '{password}', 'because')"),
        format!("SELECT hub.user_add('limits_y', 'pro', '{password}', '  ')"),
        format!("SELECT hub.user_add('limits_y', 'pro', '{password}', NULL)"),
        format!("SELECT hub.user_add('limits_y', NULL, '{password}', 'because')"),
        format!("SELECT hub.user_add(NULL, 'pro', '{password}', 'because')"),
        "SELECT hub.user_add('limits_y', 'pro', 'x'' SUPERUSER --', 'because')".into(),
        "SELECT hub.user_add('limits_y', 'pro', NULL, 'because')".into(),
        "SELECT hub.user_set_tier('limits_pro', 'admin', 'because')".into(),
        "SELECT hub.user_set_tier('limits_admin', 'free', 'because')".into(),
        "SELECT hub.user_disable('limits_admin', 'because')".into(),
        "SELECT hub.user_disable('hoster', 'because')".into(),
        "SELECT hub.give_tier('limits_admin', 'pro')".into(),
        "SELECT hub.audit_append('a', 'b', NULL, NULL, 'because')".into(),
        "SELECT hub.end_sessions('hoster')".into(),
        "SELECT * FROM hub.change".into(),
        "SELECT * FROM hub.login".into(),
        "SELECT hub.make_days('2026-01-01', '2026-01-01')".into(),
        "SET ROLE stratum_owner".into(),
        "SET ROLE limits_pro".into(),
        "CREATE ROLE limits_z".into(),
        "ALTER ROLE limits_pro PASSWORD 'x'".into(),
        "GRANT stratum_pro TO limits_admin".into(),
        // The audit.
        "INSERT INTO hub.audit VALUES (99, now(), 'a', 'b', 'c', NULL, NULL, 'because', '', '')".into(),
        "UPDATE hub.audit SET reason = 'another'".into(),
        "DELETE FROM hub.audit".into(),
        "TRUNCATE hub.audit".into(),
        "ALTER TABLE hub.audit DISABLE TRIGGER ALL".into(),
        "DROP TABLE hub.audit".into(),
        "SET session_replication_role = replica".into(),
        "CREATE TABLE hub.mine (x int)".into(),
    ] {
        refused("limits_admin", &sql);
    }
    for sql in [
        format!("SELECT hub.user_add('limits_y', 'pro', '{password}', 'because')"),
        "SELECT * FROM hub.user_list()".into(),
        "SELECT * FROM hub.audit".into(),
        "SELECT * FROM hub.audit_check()".into(),
        "INSERT INTO hub.change (look, day, event, slot, price, status) VALUES (1, current_date, 1, 1, 250, 0)".into(),
        "UPDATE hub.meta SET value = '0 seconds'".into(),
        "DELETE FROM hub.look".into(),
    ] {
        refused("limits_pro", &sql);
    }
    // Not even the owner, short of taking the triggers away; and then the chain tells.
    for sql in ["UPDATE hub.audit SET reason = 'another'", "DELETE FROM hub.audit", "TRUNCATE hub.audit"] {
        refused(HOSTER, sql);
    }
    assert!(server.ask("limits_admin", &database, "SELECT * FROM hub.audit_check()").starts_with("2|"));
    // How a session writes times makes no difference to the chain.
    let odd = "SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET bytea_output = 'escape'; SET intervalstyle = 'iso_8601'; \
               SELECT first_fault IS NULL FROM hub.audit_check()";
    assert_eq!(server.ask("limits_admin", &database, odd), "t");
    server.ask(
        HOSTER,
        &database,
        "ALTER TABLE hub.audit DISABLE TRIGGER append_only; UPDATE hub.audit SET reason = 'another' WHERE n = 1",
    );
    let check = stratum(&server.url_to(HOSTER, &database), &server.ca_file(), &["hub", "audit", "--check"]);
    assert!(check.status.code() == Some(1) && text(&check).contains("row 1"), "{}", text(&check));
}

#[test]
fn names_of_ours_cannot_be_put_in_front_of_the_owners() {
    let Some(server) = shared() else { return };
    let database = hub(server, "paths");
    user(server, &database, "paths_admin", "admin");
    // Temporary tables, operators and functions that would be found first if the path were the caller's.
    let sql = "CREATE TEMP TABLE login (name text, tier text, disabled boolean); \
               CREATE TEMP TABLE audit (n bigint); CREATE TEMP TABLE pg_roles (rolname name); \
               INSERT INTO login VALUES ('hoster', 'pro', false); \
               CREATE FUNCTION pg_temp.may_change(text) RETURNS void LANGUAGE sql AS ''; \
               CREATE FUNCTION pg_temp.length(text) RETURNS int LANGUAGE sql AS 'SELECT 10'; \
               SET search_path = pg_temp, pg_catalog, hub; \
               SELECT hub.user_disable('hoster', 'because')";
    let o = server.psql_in("paths_admin", &database, sql);
    assert!(text(&o).contains("has no user \"hoster\""), "{}", text(&o));
    let settings = server.ask(
        SUPERUSER,
        &database,
        "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname LIKE 'hub%' \
         AND prosecdef AND NOT coalesce(proconfig::text LIKE '%search_path=%pg_temp%', false)",
    );
    assert_eq!(settings, "0", "functions with the owner's rights and the caller's path");
    let public = server.ask(
        SUPERUSER,
        &database,
        "SELECT string_agg(proname, ',') FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace, \
         aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE nspname LIKE 'hub%' AND grantee = 0",
    );
    assert_eq!(public, "", "functions that anybody may call");
}

#[test]
fn no_password_is_in_any_log_or_output() {
    let Some(server) = shared() else { return };
    let database = hub(server, "secrets");
    let address = user(server, &database, "secrets_ann", "pro");
    let ca = server.ca_file();
    let mut said = String::new();
    for args in [
        &["hub", "status"][..],
        &["hub", "user", "list"],
        &["hub", "audit"],
        &["hub", "init"],
        &["config", "show"],
        &["doctor"],
    ] {
        said += &text(&stratum(&server.url_to(HOSTER, &database), &ca, args));
        said += &text(&stratum(&address, &ca, args));
    }
    // Refused, unreachable, and an address that cannot be read.
    let wrong = address.replace("secrets_ann:", "secrets_bob:");
    said += &text(&stratum(&wrong, &ca, &["hub", "status"]));
    said += &text(&stratum(&address.replace(&format!(":{}/", server.port()), ":1/"), &ca, &["hub", "status"]));
    said += &text(&stratum(&address.replace("sslmode=", "sslmode=x"), &ca, &["hub", "status"]));
    said += &text(&stratum(&address.replace("postgres://", "mysql://"), &ca, &["hub", "status"]));
    let log = server.log();
    assert!(log.contains("hub.user_add"), "the server logs every statement");
    for secret in [server.password("secrets_ann"), server.password(HOSTER)] {
        assert!(!said.contains(&secret), "an output holds a password");
        assert!(!log.contains(&secret) || secret == server.password(HOSTER), "the server's log holds a password");
    }
}

#[test]
fn an_address_is_read_from_a_file_that_is_its_owners_alone() {
    let Some(server) = shared() else { return };
    let database = hub(server, "file");
    let home = tempfile::tempdir().expect("folder");
    let file = home.path().join("hub.url");
    std::fs::write(&file, server.url_to(HOSTER, &database) + "\n").expect("file");
    let status = |mode: u32| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
        Command::new(env!("CARGO_BIN_EXE_stratum"))
            .args(["hub", "status", "--data-dir"])
            .arg(home.path())
            .arg("--config")
            .arg(home.path().join("stratum.toml"))
            .env_remove("STRATUM_HUB_URL")
            .output()
            .expect("runs")
    };
    std::fs::write(home.path().join("stratum.toml"), "").expect("file");
    let open = status(0o644);
    assert!(!open.status.success() && text(&open).contains("chmod 600"), "{}", text(&open));
    assert!(ok(&status(0o600)).contains("owner"));
    std::fs::remove_file(&file).expect("removed");
    let none = stratum("", &server.ca_file(), &["hub", "status"]);
    assert!(none.status.code() == Some(3) && text(&none).contains("STRATUM_HUB_URL"), "{}", text(&none));
    assert!(server.psql_in(HOSTER, &database, "SELECT 1").checked() == "1");
}

//! The schema of a hub: made and brought up to date by `stratum hub init`, and looked at by everybody who connects.
//!
//! Each migration is run once, whole or not at all, under a lock, and written down with the hash of its text. A newer
//! schema is left alone.

use tokio_postgres::types::Type;

use super::connect::{Connection, Tier, tier_of};
use super::error::HubError;

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number; steps are run in the order of these.
    pub version: i32,
    /// What it is about.
    pub name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

/// All steps that this program knows. What was released is never changed.
pub const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_hub"),
    migration!(2, "0002_meta"),
    migration!(3, "0003_partitions"),
    migration!(4, "0004_tiers"),
    migration!(5, "0005_users"),
    migration!(10, "0010_desk"),
    migration!(20, "0020_lease"),
    migration!(30, "0030_merge"),
    migration!(31, "0031_mark"),
    migration!(32, "0032_retention"),
    migration!(33, "0033_writers"),
    migration!(40, "0040_filled"),
    migration!(45, "0045_answers"),
    migration!(50, "0050_exchange"),
    migration!(60, "0060_pack"),
];

/// Roles and schemas, before the steps.
const PREPARE: &str = include_str!("../../migrations/postgres/prepare.sql");
/// One init at a time: a number of ours among the locks of the database.
const LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock(7310295520130516)";
/// Where steps are written down.
const RECORD: &str = "\
SET LOCAL ROLE stratum_owner;
CREATE TABLE IF NOT EXISTS hub.migration (
    version  int         PRIMARY KEY,
    name     text        NOT NULL,
    checksum bytea       NOT NULL,
    program  text        NOT NULL,
    run_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE hub.migration ENABLE ROW LEVEL SECURITY";
/// Hubs in other databases of the server make the same roles at the same moment at worst.
const ATTEMPTS: u32 = 5;
/// The oldest server.
const OLDEST: i32 = 140_000;

/// The version of the schema that this program knows.
pub fn known() -> i32 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or_default()
}

/// What an init has done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Initialised {
    /// Steps that were run, by name; none when everything was there.
    pub applied: Vec<&'static str>,
    /// The schema's version now.
    pub version: i32,
    /// What the hub calls itself.
    pub id: String,
}

/// What a hub says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// What it calls itself.
    pub id: String,
    /// The schema's version.
    pub version: i32,
    /// Where news are announced; `None` where this login may not know.
    pub channel: Option<String>,
    /// By how much free logins are behind, in the server's words.
    pub delay: String,
    /// Items on a free login's watchlists.
    pub free_limit: i64,
    /// What this login may do.
    pub tier: Tier,
}

/// Makes the hub in the database of the connection, or brings it up to date.
///
/// # Errors
/// [`HubError::NewerSchema`], [`HubError::Altered`], [`HubError::Denied`] for a login that may not, and as any question to
/// the server.
pub async fn init(c: &mut Connection) -> Result<Initialised, HubError> {
    let server =
        c.client().query_typed_one("SELECT pg_catalog.current_setting('server_version_num')::int", &[]).await?;
    if server.try_get::<_, i32>(0)? < OLDEST {
        return Err(HubError::Denied { why: "the server is older than PostgreSQL 14; a hub needs 14 or newer".into() });
    }
    // Before anything is touched: a newer program's hub stays as it is.
    refuse_newer(c).await?;
    let mut attempt = 1;
    loop {
        match prepare(c).await {
            Ok(()) => break,
            Err(e) if attempt < ATTEMPTS && same_moment(&e) => attempt += 1,
            Err(e) => return Err(may_not(e.into())),
        }
    }
    let mut applied = Vec::new();
    for migration in MIGRATIONS {
        if run(c, migration).await.map_err(may_not)? {
            applied.push(migration.name);
        }
    }
    let rows = c.client().query_typed("SELECT value FROM hub.meta WHERE key = 'id'", &[]).await?;
    let id = rows.first().map(|r| r.try_get(0)).transpose()?.ok_or(HubError::NotAHub)?;
    Ok(Initialised { applied, version: known(), id })
}

/// What the hub at the other end says of itself. A schema that is not the one this program knows is an error.
///
/// # Errors
/// [`HubError::NotAHub`], [`HubError::NewerSchema`], [`HubError::OlderSchema`], [`HubError::Withheld`] for a login that is
/// no user of the hub.
pub async fn facts(c: &mut Connection) -> Result<Facts, HubError> {
    let tier = tier_of(c).await?;
    let ask = match tier {
        Tier::Free => "SELECT key, value FROM hub_free.meta",
        _ => "SELECT key, value FROM hub.meta",
    };
    let rows = c.client().query_typed(ask, &[]).await?;
    let mut all = std::collections::BTreeMap::<String, String>::new();
    for row in rows {
        all.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let version = all.get("schema").and_then(|v| v.parse::<i32>().ok()).ok_or(HubError::NotAHub)?;
    let known = known();
    if version > known {
        return Err(HubError::NewerSchema { found: version, known });
    }
    if version < known {
        return Err(HubError::OlderSchema { found: version, known });
    }
    Ok(Facts {
        id: all.remove("id").ok_or(HubError::NotAHub)?,
        version,
        channel: all.remove("channel"),
        delay: all.remove("delay").unwrap_or_default(),
        free_limit: all.get("free_limit").and_then(|v| v.parse().ok()).unwrap_or_default(),
        tier,
    })
}

async fn refuse_newer(c: &mut Connection) -> Result<(), HubError> {
    match facts(c).await {
        Err(e @ HubError::NewerSchema { .. }) => Err(e),
        Err(e) if e.is_transient() => Err(e),
        // Whatever else it is shows in what follows.
        _ => Ok(()),
    }
}

async fn prepare(c: &mut Connection) -> Result<(), tokio_postgres::Error> {
    let transaction = c.client().transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute(PREPARE).await?;
    transaction.batch_execute(RECORD).await?;
    transaction.commit().await
}

/// Runs a migration unless it was run; `true` if it was now.
async fn run(c: &mut Connection, migration: &Migration) -> Result<bool, HubError> {
    let checksum = blake3::hash(migration.sql.as_bytes());
    let transaction = c.client().transaction().await?;
    transaction.batch_execute(LOCK).await?;
    transaction.batch_execute("SET LOCAL ROLE stratum_owner; SET LOCAL search_path = hub, pg_temp").await?;
    let found = transaction.query_typed("SELECT version, checksum FROM hub.migration", &[]).await?;
    let known = known();
    let mut kept = None;
    for row in &found {
        let version: i32 = row.try_get(0)?;
        if !MIGRATIONS.iter().any(|m| m.version == version) {
            return Err(HubError::NewerSchema { found: version, known });
        }
        if version == migration.version {
            kept = Some(row.try_get::<_, Vec<u8>>(1)?);
        }
    }
    match kept {
        Some(kept) if kept == checksum.as_bytes() => return Ok(false),
        Some(_) => return Err(HubError::Altered { version: migration.version }),
        None => {}
    }
    transaction.batch_execute(migration.sql).await?;
    let (number, name, sum) = (migration.version, migration.name, checksum.as_bytes().as_slice());
    transaction
        .execute_typed(
            "INSERT INTO hub.migration (version, name, checksum, program) VALUES ($1, $2, $3, $4)",
            &[
                (&number, Type::INT4),
                (&name, Type::TEXT),
                (&sum, Type::BYTEA),
                (&env!("CARGO_PKG_VERSION"), Type::TEXT),
            ],
        )
        .await?;
    // The table of this is made by a later step than the first at the earliest.
    transaction
        .execute_typed(
            "INSERT INTO hub.meta (key, value) VALUES ('schema', $1::int4::text) \
             ON CONFLICT (key) DO UPDATE SET value = greatest(meta.value::int, $1)::text",
            &[(&number, Type::INT4)],
        )
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// Somebody made the same role at the same moment.
fn same_moment(e: &tokio_postgres::Error) -> bool {
    e.as_db_error().is_some_and(|db| {
        matches!(db.code().code(), "23505" | "42710" | "42P06" | "40001" | "40P01")
            || db.message().contains("concurrently updated")
    })
}

/// Of an init, a missing right has another cause than a tier.
fn may_not(e: HubError) -> HubError {
    match e {
        HubError::Withheld { what } => HubError::Denied {
            why: format!(
                "this login may not make what a hub needs ({what}); take one that may make roles (CREATEROLE) and schemas in \
                 this database (CREATE), or that owns the hub already"
            ),
        },
        e => e,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_in_the_order_of_their_numbers_and_named_after_them() {
        assert!(MIGRATIONS.windows(2).all(|w| w[0].version < w[1].version));
        assert!(MIGRATIONS.iter().all(|m| m.name.starts_with(&format!("{:04}_", m.version))));
        let there = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres")).expect("folder");
        assert_eq!(there.count(), MIGRATIONS.len() + 1, "every file is a step, but the one before them all");
    }

    #[test]
    fn whatever_runs_with_the_owners_rights_looks_names_up_in_a_fixed_path() {
        for m in MIGRATIONS {
            let functions = m.sql.split("CREATE FUNCTION").skip(1);
            for f in functions {
                let head = f.split("AS $$").next().unwrap_or_default();
                assert!(head.contains("SET search_path = "), "{}: {head}", m.name);
                assert!(head.contains("pg_temp"), "{}: temporary names come last: {head}", m.name);
            }
        }
    }
}

//! Users of a hub, as administrators manage them, and the record of what was done.
//!
//! Passwords are made here and shown once. The server is told what it keeps of one and never the password itself, so that
//! none of its logs can hold it.

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::types::{ToSql, Type};

use super::connect::Connection;
use super::error::HubError;

/// Letters of a password. More than anybody guesses: they come from 244 random bits.
const LETTERS: usize = 48;

/// A user of the hub.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// The login's name.
    pub name: String,
    /// `collector`, `pro`, `free` or `admin`.
    pub tier: String,
    /// It cannot log in.
    pub disabled: bool,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// When its password was made.
    pub password_at: String,
    /// Connections that it has open.
    pub sessions: i64,
}

/// One row of the audit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditRow {
    /// Its number, without gaps.
    pub n: i64,
    /// When, RFC 3339.
    pub at: String,
    /// The login that asked for it.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// To whom.
    pub subject: String,
    /// What was, JSON.
    pub before: Option<String>,
    /// What is, JSON.
    pub after: Option<String>,
    /// Why.
    pub reason: String,
}

/// What a look at the audit's chain found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditCheck {
    /// Rows.
    pub rows: i64,
    /// The hash of the last; written down elsewhere, it proves later that none is missing at the end.
    pub last_hash: String,
    /// The first row that is not as it was written.
    pub first_fault: Option<i64>,
}

/// A new password.
pub fn new_password() -> SecretString {
    let mut text = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    text.truncate(LETTERS);
    SecretString::from(text)
}

/// How a password is told to the server.
fn told(password: &SecretString, in_clear: bool) -> SecretString {
    let text = password.expose_secret();
    if in_clear {
        password.clone()
    } else {
        SecretString::from(postgres_protocol::password::scram_sha_256(text.as_bytes()))
    }
}

/// Makes a login. `in_clear` for a provider that takes no hashed passwords.
///
/// # Errors
/// [`HubError::Denied`] with what is wrong, [`HubError::Withheld`] for whoever is no administrator.
pub async fn add(
    c: &mut Connection,
    name: &str,
    tier: &str,
    reason: &str,
    in_clear: bool,
) -> Result<SecretString, HubError> {
    let password = new_password();
    call(c, "SELECT hub.user_add($1, $2, $3, $4)", &[name, tier, told(&password, in_clear).expose_secret(), reason])
        .await?;
    Ok(password)
}

/// Gives a login another tier; what it has open is ended.
///
/// # Errors
/// As [`add`].
pub async fn set_tier(c: &mut Connection, name: &str, tier: &str, reason: &str) -> Result<(), HubError> {
    call(c, "SELECT hub.user_set_tier($1, $2, $3)", &[name, tier, reason]).await
}

/// Shuts a login out.
///
/// # Errors
/// As [`add`].
pub async fn disable(c: &mut Connection, name: &str, reason: &str) -> Result<(), HubError> {
    call(c, "SELECT hub.user_disable($1, $2)", &[name, reason]).await
}

/// A new password for a login, which lets a disabled one in again.
///
/// # Errors
/// As [`add`].
pub async fn rotate(c: &mut Connection, name: &str, reason: &str, in_clear: bool) -> Result<SecretString, HubError> {
    let password = new_password();
    call(c, "SELECT hub.user_rotate($1, $2, $3)", &[name, told(&password, in_clear).expose_secret(), reason]).await?;
    Ok(password)
}

async fn call(c: &mut Connection, sql: &str, texts: &[&str]) -> Result<(), HubError> {
    let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
        texts.iter().map(|t| (t as &(dyn ToSql + Sync), Type::TEXT)).collect();
    c.client().query_typed(sql, &parameters).await?;
    Ok(())
}

/// All users, by name.
///
/// # Errors
/// [`HubError::Withheld`] for whoever is no administrator.
pub async fn list(c: &mut Connection) -> Result<Vec<User>, HubError> {
    const ASK: &str = "SELECT name, tier, disabled, to_char(made_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
        to_char(password_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), sessions FROM hub.user_list()";
    let rows = c.client().query_typed(ASK, &[]).await?;
    let of = |r: &tokio_postgres::Row| -> Result<User, tokio_postgres::Error> {
        Ok(User {
            name: r.try_get(0)?,
            tier: r.try_get(1)?,
            disabled: r.try_get(2)?,
            made_at: r.try_get(3)?,
            password_at: r.try_get(4)?,
            sessions: r.try_get(5)?,
        })
    };
    Ok(rows.iter().map(of).collect::<Result<_, _>>()?)
}

/// The newest rows of the audit, newest last.
///
/// # Errors
/// [`HubError::Withheld`] for whoever is no administrator.
pub async fn audit(c: &mut Connection, newest: i64) -> Result<Vec<AuditRow>, HubError> {
    const ASK: &str = "SELECT n, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), actor, action, subject, \
        before::text, after::text, reason FROM (SELECT * FROM hub.audit ORDER BY n DESC LIMIT $1) a ORDER BY n";
    let rows = c.client().query_typed(ASK, &[(&newest, Type::INT8)]).await?;
    let of = |r: &tokio_postgres::Row| -> Result<AuditRow, tokio_postgres::Error> {
        Ok(AuditRow {
            n: r.try_get(0)?,
            at: r.try_get(1)?,
            actor: r.try_get(2)?,
            action: r.try_get(3)?,
            subject: r.try_get(4)?,
            before: r.try_get(5)?,
            after: r.try_get(6)?,
            reason: r.try_get(7)?,
        })
    };
    Ok(rows.iter().map(of).collect::<Result<_, _>>()?)
}

/// Looks at every row of the audit: is it as it was written?
///
/// # Errors
/// [`HubError::Withheld`] for whoever is no administrator.
pub async fn audit_check(c: &mut Connection) -> Result<AuditCheck, HubError> {
    let row = c.client().query_typed_one("SELECT rows, last_hash, first_fault FROM hub.audit_check()", &[]).await?;
    Ok(AuditCheck { rows: row.try_get(0)?, last_hash: row.try_get(1)?, first_fault: row.try_get(2)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_new_each_time_and_told_as_a_hash() {
        let (a, b) = (new_password(), new_password());
        assert_eq!(a.expose_secret().len(), LETTERS);
        assert_ne!(a.expose_secret(), b.expose_secret());
        let hashed = told(&a, false);
        assert!(
            hashed.expose_secret().starts_with("SCRAM-SHA-256$") && !hashed.expose_secret().contains(a.expose_secret())
        );
        assert_eq!(told(&a, true).expose_secret(), a.expose_secret());
    }
}

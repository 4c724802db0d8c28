//! What can go wrong with a hub, in words that tell a person what to do. No text here holds a password.

use tokio_postgres::error::SqlState;

/// Raised by the merge of a device that does not hold the lease of a sport; the detail names the sport.
pub const FENCED: &str = "SH001";
/// Raised by functions of the hub when what they are asked to do is refused; the message says why.
pub const REFUSED: &str = "SH002";

/// What can go wrong with a hub.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HubError {
    /// The address is not one of a PostgreSQL.
    #[error("the hub's address cannot be used: {why}; it looks like postgres://user:password@host:5432/database")]
    Url {
        /// What is wrong with it, without any part of it that is secret.
        why: String,
    },
    /// Nobody answers.
    #[error(
        "the hub at {place} cannot be reached ({why}); check the address, the network and that the server is running"
    )]
    Unreachable {
        /// Host, port, database and user.
        place: String,
        /// Why.
        why: String,
    },
    /// The login, the database or a connection more is not accepted.
    #[error("the hub at {place} refuses this login ({why}); check user, password and database in the hub's address")]
    Refused {
        /// Host, port, database and user.
        place: String,
        /// What the server says.
        why: String,
    },
    /// No encrypted connection came about.
    #[error("no encrypted connection to the hub at {place} ({why})")]
    Tls {
        /// Host, port, database and user.
        place: String,
        /// Why, and what can be done.
        why: String,
    },
    /// The file of certificates cannot be used.
    #[error("{path}: the hub's file of certificates cannot be used ({why}); it holds the provider's CA in PEM")]
    CaFile {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The database has no hub in it.
    #[error(
        "this database holds no hub; make one with `stratum hub init`, or check the database's name in the address"
    )]
    NotAHub,
    /// A newer program has changed the schema.
    #[error("the hub's schema is version {found}, and this program knows {known}; update stratum on this machine")]
    NewerSchema {
        /// What is there.
        found: i32,
        /// What this program knows.
        known: i32,
    },
    /// The schema waits for its owner.
    #[error("the hub's schema is version {found}, and this program needs {known}; its owner runs `stratum hub init`")]
    OlderSchema {
        /// What is there.
        found: i32,
        /// What this program needs.
        known: i32,
    },
    /// A migration is not the one that was run here.
    #[error(
        "the hub's migration {version} is not the one that this program has; it was made by a changed program: leave it"
    )]
    Altered {
        /// Which.
        version: i32,
    },
    /// The login's tier does not see or do this.
    #[error(
        "the hub withholds this from this login ({what}); an administrator can change its tier with `stratum hub user set-tier`"
    )]
    Withheld {
        /// What the server says.
        what: String,
    },
    /// Another device collects the sport now.
    #[error("another collector has taken over {sport}; what this device asked for after that is not taken")]
    Fenced {
        /// The sport's key.
        sport: String,
    },
    /// It has forgotten what this device knows of it.
    #[error(
        "the hub was put back to an earlier moment; following it finds out what it has forgotten, and that is told again \
         (docs/hub.md, Backup and restore)"
    )]
    PutBack,
    /// It was put back to before this device was linked.
    #[error(
        "the hub does not know this device any more: it was put back to before that was linked; run `stratum hub unlink` and \
         then `stratum hub link` (docs/hub.md, Backup and restore)"
    )]
    Unknown,
    /// It is another hub than the one that this store is linked to.
    #[error(
        "this is the hub {found}, and this store is linked to {linked}; check the address, or run `stratum hub unlink` and then \
         `stratum hub link`"
    )]
    Another {
        /// What it calls itself.
        found: String,
        /// What the other calls itself.
        linked: String,
    },
    /// It keeps nothing of the time that this device has not taken in.
    #[error(
        "the hub keeps nothing before entry {oldest} of its log, and this store has taken in {pulled}: what lies between is \
         gone there; `stratum hub unlink` and `stratum hub link --set-aside` begin with what the hub has"
    )]
    Behind {
        /// The oldest entry that it has.
        oldest: i64,
        /// The newest that was taken in here.
        pulled: i64,
    },
    /// A function of the hub says no.
    #[error("{why}")]
    Denied {
        /// Why.
        why: String,
    },
    /// It takes too long: a lock or a slow server.
    #[error("the hub took too long ({why}); it is tried again")]
    Slow {
        /// What the server says.
        why: String,
    },
    /// The connection is gone.
    #[error("the connection to the hub was lost ({why}); it is made anew")]
    Lost {
        /// Why.
        why: String,
    },
    /// The server has no room left.
    #[error("the hub's server is full ({why}); give it room, or keep less with `stratum hub retention` (docs/hub.md)")]
    Full {
        /// What the server says.
        why: String,
    },
    /// Something that should not be.
    #[error("the hub answered with an error ({what})")]
    Broken {
        /// What the server says, with its code.
        what: String,
    },
}

impl HubError {
    /// The same may work a little later, without anybody doing anything.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Slow { .. } | Self::Lost { .. } | Self::Full { .. })
    }

    /// What went wrong while a connection was made to `place`.
    pub(super) fn connecting(place: &str, e: &tokio_postgres::Error) -> Self {
        let place = place.to_owned();
        if let Some(db) = e.as_db_error() {
            let why = said(db);
            return match db.code().code() {
                // Starting up, shutting down, recovering.
                "57P01" | "57P02" | "57P03" => Self::Unreachable { place, why },
                // No encryption, no entry.
                "28000" if db.message().contains("no encryption") || db.message().contains("SSL off") => {
                    let why = format!("the server takes only encrypted connections: {why}; leave out sslmode");
                    Self::Tls { place, why }
                }
                code if code.starts_with("53") => Self::Unreachable { place, why },
                // A pooler that has no server behind it.
                code if code.starts_with("08") => Self::Unreachable { place, why },
                _ => Self::Refused { place, why },
            };
        }
        let why = chain(e);
        if why.starts_with("error performing TLS handshake") {
            return Self::Tls { place, why: advice(&why) };
        }
        if why.contains("authentication") || why.contains("password missing") || why.contains("invalid configuration") {
            return Self::Refused { place, why };
        }
        Self::Unreachable { place, why }
    }
}

/// What can be done about a handshake that failed.
fn advice(why: &str) -> String {
    let what = why.trim_start_matches("error performing TLS handshake: ");
    let hint = if what.contains("UnknownIssuer") {
        "the server's certificate is of no authority that this system knows: name the provider's CA file with hub.ca_file, \
         or in the address with sslrootcert"
    } else if what.contains("NotValidForName") || what.contains("not valid for name") {
        "the certificate is another server's: use the host name that the provider gives"
    } else if what.contains("does not support TLS") {
        "switch TLS on at the server; sslmode=disable goes without, and then anybody on the way can read along"
    } else if what.contains("Expired") || what.contains("expired") {
        "the certificate has expired, or this machine's clock is wrong"
    } else {
        "check that the address is the server's"
    };
    format!("{what}; {hint}")
}

/// What a database says, with its code.
fn said(db: &tokio_postgres::error::DbError) -> String {
    format!("{} [{}]", with_hint(db), db.code().code())
}

fn with_hint(db: &tokio_postgres::error::DbError) -> String {
    let hint = db.hint().map(|h| format!("; {h}")).unwrap_or_default();
    format!("{}{hint}", db.message())
}

/// An error and what is below it, in one line.
fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut below = e.source();
    while let Some(e) = below {
        let more = e.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        below = e.source();
    }
    text
}

impl From<tokio_postgres::Error> for HubError {
    fn from(e: tokio_postgres::Error) -> Self {
        let Some(db) = e.as_db_error() else {
            let why = chain(&e);
            // What cannot be read as what was expected is no question of the link.
            let local = ["error serializing", "error deserializing", "invalid column", "query returned", "type "];
            return if local.iter().any(|start| why.starts_with(start)) {
                Self::Broken { what: why }
            } else {
                Self::Lost { why }
            };
        };
        let why = said(db);
        match db.code().code() {
            FENCED => Self::Fenced { sport: db.detail().unwrap_or_else(|| db.message()).to_owned() },
            REFUSED => Self::Denied { why: with_hint(db) },
            "42501" => Self::Withheld { what: why },
            // 3F000, 42P01: neither schema nor table.
            "3F000" => Self::NotAHub,
            "42P01" if db.message().contains("\"hub") => Self::NotAHub,
            "55P03" | "57014" | "40001" | "40P01" => Self::Slow { why },
            "53100" | "53200" => Self::Full { why },
            "53300" | "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => Self::Lost { why },
            code if code.starts_with("08") => Self::Lost { why },
            _ if *db.code() == SqlState::DISK_FULL => Self::Full { why },
            _ => Self::Broken { what: why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_that_failed_says_what_can_be_done() {
        let said = advice("error performing TLS handshake: invalid peer certificate: UnknownIssuer");
        assert!(said.starts_with("invalid peer certificate") && said.contains("hub.ca_file"), "{said}");
        assert!(advice("error performing TLS handshake: server does not support TLS").contains("read along"));
    }

    #[test]
    fn what_passes_by_itself_is_known() {
        assert!(HubError::Lost { why: String::new() }.is_transient());
        assert!(!HubError::NotAHub.is_transient() && !HubError::Fenced { sport: "x".into() }.is_transient());
    }
}

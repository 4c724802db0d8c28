//! The keyring of the system as a place for the key. Only with the feature `keyring`; without it there is none.
//!
//! A machine without one (no Secret Service on a headless Linux) is nothing unusual: reading then finds nothing.

use secrecy::SecretString;

/// This build can use the keyring of the system.
pub const IS_THERE: bool = cfg!(feature = "keyring");

#[cfg(feature = "keyring")]
mod system {
    use ::keyring::{Entry, Error};
    use secrecy::{ExposeSecret, SecretString};

    /// Longest wait for an answer.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

    fn entry() -> Result<Entry, Error> {
        Entry::new("stratum", "odds_api")
    }

    fn told(e: &Error) -> String {
        format!("the keyring of the system cannot be used: {e}; put the key into its file instead")
    }

    pub fn read() -> Option<SecretString> {
        // A locked keyring may ask the user, and a daemon has none: it goes on without.
        let (tell, told) = std::sync::mpsc::channel();
        let asking = std::thread::Builder::new().name("keyring".into()).spawn(move || {
            drop(tell.send(entry().and_then(|e| e.get_password()).map(SecretString::from)));
        });
        let found = asking.ok().and_then(|_| told.recv_timeout(PATIENCE).ok());
        match found {
            Some(Ok(key)) => Some(key),
            Some(Err(e)) => {
                tracing::debug!(error = %e, "no key in the keyring of the system");
                None
            }
            None => {
                tracing::warn!("the keyring of the system does not answer; is it locked?");
                None
            }
        }
    }

    pub fn keep(key: &SecretString) -> Result<(), String> {
        entry().and_then(|e| e.set_password(key.expose_secret())).map_err(|e| told(&e))
    }

    pub fn remove() -> Result<bool, String> {
        match entry().and_then(|e| e.delete_credential()) {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(e) => Err(told(&e)),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use secrecy::SecretString;

    const ABSENT: &str = "this build cannot use the keyring of the system (it was made without the feature `keyring`)";

    pub const fn read() -> Option<SecretString> {
        None
    }

    pub fn keep(_: &SecretString) -> Result<(), String> {
        Err(ABSENT.into())
    }

    pub fn remove() -> Result<bool, String> {
        Err(ABSENT.into())
    }
}

/// The key that is kept there. `None` when there is none, or no keyring.
pub fn read() -> Option<SecretString> {
    system::read()
}

/// Keeps a key there.
///
/// # Errors
/// For a person: what is missing.
pub fn keep(key: &SecretString) -> Result<(), String> {
    system::keep(key)
}

/// Removes the key that is kept there. Answers whether there was one.
///
/// # Errors
/// For a person: what is missing.
pub fn remove() -> Result<bool, String> {
    system::remove()
}

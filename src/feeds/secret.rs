//! API keys as a type that cannot be printed, and the removal of a key from text that others wrote.
//!
//! Providers take the key in the query string, so it can come back in error pages, redirects and library errors.
//! Whatever text leaves a feed goes through [`ApiKey::redact`] first.

use secrecy::{ExposeSecret, SecretString};

/// What stands where a secret was.
const MASK: &str = "***";

/// Longest key accepted; keys in use have about 40 characters.
const MAX_LEN: usize = 256;

/// Shorter keys are those of simulators and may be parts of ordinary words: an answer is never changed for them.
const SHORTEST_REAL: usize = 16;

/// Why a text is not a key. Never repeats the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Nothing but white space.
    #[error("the API key is empty: set it, or leave it out altogether")]
    Empty,
    /// White space, control or non-ASCII characters inside.
    #[error("the API key contains a space or a special character: copy it again, without quotes or line breaks")]
    Characters,
    /// Longer than any key.
    #[error("the API key is longer than 256 characters: perhaps the wrong text was pasted")]
    TooLong,
}

/// An API key. Prints as `***` and is wiped from memory when dropped.
#[derive(Clone)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Reads a key; white space around it is dropped.
    ///
    /// # Errors
    /// [`KeyError`] for a text that cannot be a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            Err(KeyError::Empty)
        } else if text.len() > MAX_LEN {
            Err(KeyError::TooLong)
        } else if !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b',')) {
            Err(KeyError::Characters)
        } else {
            Ok(Self(SecretString::from(text)))
        }
    }

    /// What the key is called wherever it has to be told from others: the first 8 digits of its BLAKE3 hash, in hex. Tells
    /// nothing about the key.
    pub fn fingerprint(&self) -> String {
        blake3::hash(self.expose().as_bytes()).to_hex().chars().take(8).collect()
    }

    /// The key itself, for the one place that puts it on the wire.
    pub(in crate::feeds) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The key as it stands in a query string.
    pub(in crate::feeds) fn query_form(&self) -> String {
        super::odds_api::request::encode(self.expose())
    }

    /// It is no word of a simulator's, which may be part of ordinary words.
    pub fn is_real(&self) -> bool {
        self.expose().len() >= SHORTEST_REAL
    }

    /// Masks the key in an answer that is to be kept. Answers without it, which is all of them on most days, are only
    /// looked through.
    pub(in crate::feeds) fn redact_body(&self, body: &mut Vec<u8>) {
        let (plain, encoded) = (self.expose(), self.query_form());
        let is_in = |key: &str| memchr::memmem::find(body, key.as_bytes()).is_some();
        if self.is_real() && (is_in(plain) || is_in(&encoded)) {
            *body = self.redact(&String::from_utf8_lossy(body)).into_bytes();
        }
    }

    /// `text` with every occurrence of the key, plain or percent-encoded and in either case, masked.
    pub fn redact(&self, text: &str) -> String {
        let plain = mask(text, self.expose());
        let encoded = self.query_form();
        if encoded == self.expose() { plain } else { mask(&plain, &encoded) }
    }
}

fn mask(text: &str, key: &str) -> String {
    // ASCII lower case keeps every byte where it was, so places found in one text hold in the other.
    let (low_text, low_key) = (text.to_ascii_lowercase(), key.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in low_text.match_indices(&low_key) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(MASK);
        from = at + found.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

impl std::str::FromStr for ApiKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl std::fmt::Display for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_are_trimmed_and_nonsense_is_refused_without_repeating_it() {
        assert_eq!(ApiKey::parse("  abc123\n").unwrap().expose(), "abc123");
        assert_eq!(ApiKey::parse(" \t\n").unwrap_err(), KeyError::Empty);
        assert_eq!(ApiKey::parse(&"a".repeat(257)).unwrap_err(), KeyError::TooLong);
        for bad in ["two words", "\"quoted\"", "line\nbreak", "schlüssel", "nul\0", "a,b"] {
            let error = ApiKey::parse(bad).unwrap_err();
            assert_eq!(error, KeyError::Characters, "{bad}");
            assert!(!format!("{error} {error:?}").contains(bad));
        }
    }

    #[test]
    fn a_key_prints_as_stars() {
        let key = ApiKey::parse("abc123secret").unwrap();
        assert_eq!(format!("{key} {key:?} {:?}", Some(&key)), "*** *** Some(***)");
        assert_eq!((key.fingerprint().len(), key.fingerprint()), (8, key.clone().fingerprint()));
        assert_ne!(key.fingerprint(), ApiKey::parse("abc123secreu").unwrap().fingerprint());
    }

    #[test]
    fn echoes_are_masked_in_any_form() {
        let key = ApiKey::parse("a+B/9").unwrap();
        assert_eq!(key.redact("x a+B/9 y A+b/9 z a%2BB%2F9 a%2bb%2f9"), "x *** y *** z *** ***");
        assert_eq!(key.redact("nothing here"), "nothing here");
    }

    #[test]
    fn an_answer_is_changed_only_where_a_real_key_stands() {
        let key = ApiKey::parse("0123456789abcdef/x").unwrap();
        let mut body = b"{\"url\":\"/v4?apiKey=0123456789abcdef%2Fx\",\"k\":\"0123456789ABCDEF/x\"}".to_vec();
        key.redact_body(&mut body);
        assert_eq!(body, b"{\"url\":\"/v4?apiKey=***\",\"k\":\"***\"}");
        let mut body = b"Germany \xff".to_vec();
        ApiKey::parse("any").unwrap().redact_body(&mut body);
        key.redact_body(&mut body);
        assert_eq!(body, b"Germany \xff");
    }

    proptest! {
        #[test]
        fn no_text_keeps_the_key(key in "[A-Za-z0-9+/=_-]{4,40}", a in "\\PC{0,20}", b in "\\PC{0,20}") {
            let secret = ApiKey::parse(&key).unwrap();
            let out = secret.redact(&format!("{a}{key}{b}{key}"));
            prop_assert!(!out.to_ascii_lowercase().contains(&key.to_ascii_lowercase()));
        }
    }
}

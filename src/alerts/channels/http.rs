//! What the channels over HTTP share: a client that follows nobody, bounded answers, and how long to wait.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::dns::Resolve;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest duration of one attempt, the answer included.
const ATTEMPT: Duration = Duration::from_secs(10);
/// A connection that was idle for longer is not used again.
const IDLE: Duration = Duration::from_secs(20);
/// As much of an answer as is read.
const ANSWER: usize = 16 * 1024;
/// Nobody is left alone for longer, whatever the other side says: a mistake there would be the end of the channel.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How a client reaches the other side.
pub(super) struct Reach {
    /// Longest duration of one attempt; `None` for the usual one.
    pub(super) limit: Option<Duration>,
    /// Turns names into addresses; `None` for the system's way.
    pub(super) resolver: Option<Arc<dyn Resolve>>,
    /// The other side speaks plain HTTP: no certificates are needed, which some machines do not have.
    pub(super) plain: bool,
    /// A proxy of the environment may be used. It would reach addresses that were never checked.
    pub(super) proxy: bool,
}

/// A client that follows no redirect and repeats nothing by itself.
pub(super) fn client(reach: Reach) -> Result<reqwest::Client, String> {
    // An error means that one has been installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("stratum/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(reach.limit.unwrap_or(ATTEMPT))
        // The other side forgets an idle connection before we do, and an alert would then meet a closed one.
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    if let Some(resolver) = reach.resolver {
        builder = builder.dns_resolver(resolver);
    }
    if !reach.proxy {
        builder = builder.no_proxy();
    }
    if reach.plain {
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|e| chain(&e.without_url()))
}

/// The beginning of an answer; what cannot be read is left out.
pub(super) async fn body(mut response: reqwest::Response) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read.extend(chunk.iter().take(ANSWER - read.len()));
    }
    read
}

/// A header as text.
pub(super) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// How long `Retry-After` wants us to wait: seconds, whole or not, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, RETRY_AFTER.as_str())?;
    if let Ok(s) = text.parse::<f64>() {
        return seconds(s);
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default().min(LONGEST_WAIT))
}

/// A number of seconds that somebody else wrote.
pub(super) fn seconds(s: f64) -> Option<Duration> {
    (s.is_finite() && s >= 0.0).then(|| Duration::from_secs_f64(s.min(LONGEST_WAIT.as_secs_f64())))
}

/// What a failed call says, without the address, which may be a secret.
pub(super) fn failure(error: reqwest::Error) -> String {
    let what = if error.is_timeout() {
        return "no answer in time".to_owned();
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection was lost"
    };
    format!("{what}: {}", super::text::line(&chain(&error.without_url())))
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        cause = inner.source();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_of_others_are_understood_and_bounded() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("header"));
            retry_after(&headers)
        };
        assert_eq!(of("1.5"), Some(Duration::from_millis(1_500)));
        assert_eq!(of("0"), Some(Duration::ZERO));
        assert_eq!(of("1e300"), Some(LONGEST_WAIT));
        for nonsense in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
        let at = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(of(&at).is_some_and(|w| (98..=100).contains(&w.as_secs())));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    }
}

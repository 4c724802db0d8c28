//! The channel to a Discord webhook.
//!
//! Owns the address, which is a secret: whoever has it can post. Only Discord's own hosts are taken, over HTTPS, and no
//! redirect is followed. What a message looks like is the business of [`super::embed`].

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use secrecy::{ExposeSecret, SecretString};

use super::http::{self, Reach};
use super::text::{cut, line};
use super::{ChannelError, embed};
use crate::alerts::channel::{Attempt, Channel, Sending};
use crate::alerts::message::Message;

/// The name in rules, tables and settings.
pub const NAME: &str = "discord";
/// Hosts that a webhook of Discord can have.
const HOSTS: [&str; 3] = ["discord.com", "ptb.discord.com", "canary.discord.com"];
/// Discord's words that are passed on, at most. Characters.
const SAID: usize = 160;
/// Wait after a 429 that names none.
const UNNAMED_WAIT: Duration = Duration::from_secs(5);

/// Why an address is no webhook of Discord. Never repeats the address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DiscordUrlError {
    /// It cannot be read at all.
    #[error("it is no address; copy it from Discord: Edit Channel, Integrations, Webhooks, Copy Webhook URL")]
    Unreadable,
    /// It would go over the network in clear.
    #[error("it must begin with https://")]
    Scheme,
    /// It leads somewhere else.
    #[error("its host must be discord.com, ptb.discord.com or canary.discord.com, without user name or port")]
    Host,
    /// It is another address of Discord's.
    #[error("its path must be /api/webhooks/NUMBER/TOKEN; leave /slack and /github away")]
    Path,
    /// It carries more than the one thing it may.
    #[error("the only thing that may stand behind it is ?thread_id=NUMBER")]
    Query,
}

/// The address of a webhook. Prints as `***`.
#[derive(Clone)]
pub struct DiscordUrl {
    host: &'static str,
    /// From `/api` on.
    path: SecretString,
    thread: Option<u64>,
}

impl DiscordUrl {
    /// Reads an address; white space around it is dropped.
    ///
    /// # Errors
    /// [`DiscordUrlError`], without any part of the address.
    pub fn parse(text: &str) -> Result<Self, DiscordUrlError> {
        let url = Url::parse(text.trim()).map_err(|_| DiscordUrlError::Unreadable)?;
        if url.scheme() != "https" {
            return Err(DiscordUrlError::Scheme);
        }
        let clean = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        let host = HOSTS.into_iter().find(|h| clean && url.host_str() == Some(h)).ok_or(DiscordUrlError::Host)?;
        let parts: Vec<&str> = url.path_segments().ok_or(DiscordUrlError::Path)?.collect();
        let [api, webhooks, id, token] = parts.as_slice() else { return Err(DiscordUrlError::Path) };
        let id_fits = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
        let token_fits = (1..=200).contains(&token.len())
            && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if *api != "api" || *webhooks != "webhooks" || !id_fits || !token_fits {
            return Err(DiscordUrlError::Path);
        }
        let thread = match (url.query(), url.fragment()) {
            (None, None) => None,
            (Some(query), None) => {
                let number = query.strip_prefix("thread_id=").and_then(|n| n.parse().ok());
                Some(number.ok_or(DiscordUrlError::Query)?)
            }
            _ => return Err(DiscordUrlError::Query),
        };
        Ok(Self { host, path: url.path().into(), thread })
    }

    /// `text` without the secret parts of the address.
    fn redact(&self, text: &str) -> String {
        let path = self.path.expose_secret();
        let token = path.rsplit('/').next().unwrap_or(path);
        text.replace(path, "***").replace(token, "***")
    }
}

impl std::fmt::Debug for DiscordUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The channel.
#[derive(Debug)]
pub struct Discord {
    http: reqwest::Client,
    url: DiscordUrl,
    /// Where it is sent to instead of Discord.
    instead: Option<SocketAddr>,
    /// Discord wants to be left alone until then.
    quiet: Mutex<Option<Instant>>,
}

impl Discord {
    /// A channel to the webhook at `url`.
    ///
    /// # Errors
    /// [`ChannelError::Setup`] when HTTPS is not available.
    pub fn new(url: DiscordUrl) -> Result<Self, ChannelError> {
        let reach = Reach { limit: None, resolver: None, plain: false, proxy: true };
        let http = http::client(reach).map_err(|why| ChannelError::Setup { channel: NAME, why })?;
        Ok(Self { http, url, instead: None, quiet: Mutex::default() })
    }

    /// The same, sent to a server on this machine that stands for Discord, in plain HTTP. For tests; it is no way
    /// around the list of hosts, as `url` was checked against it and no other machine can be named.
    ///
    /// # Errors
    /// [`ChannelError::Setup`] when `at` is not on this machine.
    pub fn instead_at(url: DiscordUrl, at: SocketAddr, limit: Option<Duration>) -> Result<Self, ChannelError> {
        let failed = |why: String| ChannelError::Setup { channel: NAME, why };
        if !at.ip().is_loopback() {
            return Err(failed("the server that stands for Discord must be on this machine".into()));
        }
        let http = http::client(Reach { limit, resolver: None, plain: true, proxy: false }).map_err(failed)?;
        Ok(Self { http, url, instead: Some(at), quiet: Mutex::default() })
    }

    fn address(&self) -> String {
        let base = self.instead.map_or_else(|| format!("https://{}", self.url.host), |at| format!("http://{at}"));
        let thread = self.url.thread.map(|t| format!("&thread_id={t}")).unwrap_or_default();
        // With `wait` the answer says whether the message was taken, and not only that the request was understood.
        format!("{base}{}?wait=true{thread}", self.url.path.expose_secret())
    }

    /// How much longer Discord wants to be left alone.
    fn quiet_for(&self) -> Option<Duration> {
        let until = *self.quiet.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        until.and_then(|u| u.checked_duration_since(Instant::now())).filter(|d| !d.is_zero())
    }

    fn quiet_until(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut quiet = self.quiet.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *quiet = (*quiet).max(until);
    }

    async fn attempt(&self, messages: &[Message]) -> Attempt {
        if let Some(wait) = self.quiet_for() {
            return Attempt::Later { after: Some(wait), why: "Discord asked for a pause".into() };
        }
        let request = self.http.post(self.address()).header(CONTENT_TYPE, "application/json");
        let response = match request.body(embed::payload(messages).to_string()).send().await {
            Ok(response) => response,
            Err(e) => return Attempt::Later { after: None, why: self.url.redact(&http::failure(e)) },
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        if let Some(wait) = spent(&headers) {
            self.quiet_until(wait);
        }
        if (200..300).contains(&status) {
            return Attempt::Delivered;
        }
        let said = Said::read(&http::body(response).await);
        if status == 429 {
            let named = [http::retry_after(&headers), said.retry_after, spent(&headers)].into_iter().flatten().max();
            let wait = named.unwrap_or(UNNAMED_WAIT);
            self.quiet_until(wait);
            let global = said.global || http::header(&headers, "x-ratelimit-global") == Some("true");
            let who = if global { "everything from this address" } else { "this webhook" };
            return Attempt::Later { after: Some(wait), why: format!("Discord slows {who} down") };
        }
        let words = said.message.map(|m| format!(": {}", self.url.redact(&cut(&line(&m), SAID)))).unwrap_or_default();
        let why = match status {
            401 | 403 | 404 => {
                format!("Discord knows no such webhook (status {status}); was it deleted? Make a new one")
            }
            300..=399 => format!("status {status}: redirects are not followed"),
            408 | 425 | 500..=599 => {
                let why = format!("Discord has trouble (status {status}){words}");
                return Attempt::Later { after: http::retry_after(&headers), why };
            }
            _ => format!("Discord does not take it (status {status}){words}"),
        };
        Attempt::Refused { why }
    }
}

impl Channel for Discord {
    fn name(&self) -> &str {
        NAME
    }

    fn batch(&self) -> usize {
        embed::MAX_EMBEDS
    }

    fn send<'a>(&'a self, messages: &'a [Message]) -> Sending<'a> {
        Box::pin(self.attempt(messages))
    }
}

/// The wait for the next free place, when this answer says that none is left.
fn spent(headers: &HeaderMap) -> Option<Duration> {
    if http::header(headers, "x-ratelimit-remaining")?.parse::<u64>().ok()? > 0 {
        return None;
    }
    http::seconds(http::header(headers, "x-ratelimit-reset-after")?.parse().ok()?)
}

/// What Discord says with an error.
#[derive(Debug, Default)]
struct Said {
    message: Option<String>,
    retry_after: Option<Duration>,
    global: bool,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        Self {
            message: value.get("message").and_then(|m| m.as_str()).map(str::to_owned),
            retry_after: value.get("retry_after").and_then(serde_json::Value::as_f64).and_then(http::seconds),
            global: value.get("global").and_then(serde_json::Value::as_bool).unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Answer, Server, message};
    use super::*;

    const URL: &str = "https://discord.com/api/webhooks/123456789012345678/tok-EN_5ecret";

    fn url() -> DiscordUrl {
        DiscordUrl::parse(URL).expect("an address")
    }

    fn to(server: &Server) -> Discord {
        Discord::instead_at(url(), server.address, Some(Duration::from_millis(800))).expect("channel")
    }

    #[test]
    fn only_webhooks_of_discord_are_taken() {
        for good in [
            URL,
            "  https://ptb.discord.com/api/webhooks/1/a\n",
            "https://canary.discord.com/api/webhooks/1/a?thread_id=77",
            "HTTPS://DISCORD.com:443/api/webhooks/1/a",
        ] {
            assert!(DiscordUrl::parse(good).is_ok(), "{good}");
        }
        use DiscordUrlError as E;
        for (bad, why) in [
            ("", E::Unreadable),
            ("discord.com/api/webhooks/1/a", E::Unreadable),
            ("http://discord.com/api/webhooks/1/a", E::Scheme),
            ("https://discord.com.evil.example/api/webhooks/1/a", E::Host),
            ("https://evil.example/discord.com/api/webhooks/1/a", E::Host),
            ("https://discordapp.com/api/webhooks/1/a", E::Host),
            ("https://discord.com@evil.example/api/webhooks/1/a", E::Host),
            ("https://u:p@discord.com/api/webhooks/1/a", E::Host),
            ("https://discord.com:8443/api/webhooks/1/a", E::Host),
            ("https://discord.com./api/webhooks/1/a", E::Host),
            ("https://127.0.0.1/api/webhooks/1/a", E::Host),
            ("https://discord.com/api/webhooks/1", E::Path),
            ("https://discord.com/api/webhooks/1/a/slack", E::Path),
            ("https://discord.com/api/webhooks/x/a", E::Path),
            ("https://discord.com/api/webhooks/1/", E::Path),
            ("https://discord.com/api/webhooks/../users/1", E::Path),
            ("https://discord.com/api/webhooks/1/a%2f..", E::Path),
            ("https://discord.com/api/v10/webhooks/1/a", E::Path),
            ("https://discord.com/api/webhooks/1/a?wait=false", E::Query),
            ("https://discord.com/api/webhooks/1/a?thread_id=1&x=1", E::Query),
            ("https://discord.com/api/webhooks/1/a#x", E::Query),
        ] {
            assert_eq!(DiscordUrl::parse(bad).err(), Some(why), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_leads_to_discord(
            text in "(https?://)?(discord\\.com|ptb\\.discord\\.com|evil\\.example|[a-z@:./\\\\#?%]{0,12}){1,3}(/api)?(/webhooks)?(/[0-9]{1,4}/[a-zA-Z_-]{1,4})?[/0-9a-zA-Z?=#@:%._-]{0,12}"
        ) {
            if let Ok(url) = DiscordUrl::parse(&text) {
                let channel = Discord::instead_at(url.clone(), "127.0.0.1:1".parse().expect("address"), None).expect("channel");
                let real = Discord { instead: None, ..channel };
                let address = Url::parse(&real.address()).expect("an address");
                prop_assert_eq!(address.scheme(), "https");
                prop_assert!(HOSTS.contains(&address.host_str().expect("a host")), "{}", text);
                prop_assert!(address.path().starts_with("/api/webhooks/"));
                prop_assert!(address.username().is_empty() && address.port().is_none());
            }
        }
    }

    #[test]
    fn the_address_is_never_printed() {
        let channel = Discord::instead_at(url(), "127.0.0.1:1".parse().expect("address"), None).expect("channel");
        let text = format!("{channel:?} {:?}", url());
        assert!(!text.contains("5ecret") && text.contains("***"), "{text}");
        assert!(Discord::instead_at(url(), "192.0.2.1:1".parse().expect("address"), None).is_err());
        assert_eq!(url().redact("at /api/webhooks/123456789012345678/tok-EN_5ecret, tok-EN_5ecret"), "at ***, ***");
    }

    #[tokio::test]
    async fn a_batch_is_one_call_that_asks_to_be_told() {
        let server = Server::start(vec![Answer::new(200).body("{\"id\":\"1\"}")]).await;
        let messages = [message("a"), message("b")];
        assert_eq!(to(&server).send(&messages).await, Attempt::Delivered);
        let got = server.one();
        assert_eq!(got.path, "/api/webhooks/123456789012345678/tok-EN_5ecret?wait=true");
        let body: serde_json::Value = serde_json::from_slice(&got.body).expect("JSON");
        assert_eq!(body["embeds"].as_array().map(Vec::len), Some(2));
        assert_eq!(body["allowed_mentions"], serde_json::json!({"parse": []}));
    }

    #[tokio::test]
    async fn a_thread_is_named() {
        let server = Server::start(vec![Answer::new(204)]).await;
        let url = DiscordUrl::parse(&format!("{URL}?thread_id=77")).expect("address");
        let channel = Discord::instead_at(url, server.address, None).expect("channel");
        assert_eq!(channel.send(&[message("a")]).await, Attempt::Delivered);
        assert!(server.one().path.ends_with("?wait=true&thread_id=77"));
    }

    #[tokio::test]
    async fn a_pause_is_kept_without_asking_again() {
        for (answer, at_least) in [
            (Answer::new(429).header("retry-after", "2.5").body("{\"retry_after\":1.2,\"global\":false}"), 2_400),
            (Answer::new(429).body("{\"message\":\"You are being rate limited.\",\"retry_after\":3.75}"), 3_600),
            (Answer::new(429).header("retry-after", "60").header("via", "1.1 x").body("<html>1015</html>"), 59_000),
            (Answer::new(429), 4_800),
        ] {
            let server = Server::start(vec![answer]).await;
            let channel = to(&server);
            for _ in 0..3 {
                let Attempt::Later { after: Some(wait), .. } = channel.send(&[message("a")]).await else {
                    panic!("a pause");
                };
                assert!(wait >= Duration::from_millis(at_least), "{wait:?}");
            }
            assert_eq!(server.count(), 1, "a storm is not answered with another");
        }
    }

    #[tokio::test]
    async fn who_is_slowed_down_is_told() {
        let answer = Answer::new(429).header("x-ratelimit-global", "true").body("{\"retry_after\":1,\"global\":true}");
        let server = Server::start(vec![answer]).await;
        let Attempt::Later { why, .. } = to(&server).send(&[message("a")]).await else { panic!("later") };
        assert!(why.contains("everything from this address"), "{why}");
    }

    #[tokio::test]
    async fn the_last_free_place_is_followed_by_a_pause() {
        let last = Answer::new(200).header("x-ratelimit-remaining", "0").header("x-ratelimit-reset-after", "0.3");
        let server = Server::start(vec![last, Answer::new(200)]).await;
        let channel = to(&server);
        assert_eq!(channel.send(&[message("a")]).await, Attempt::Delivered);
        let Attempt::Later { after: Some(wait), .. } = channel.send(&[message("b")]).await else { panic!("later") };
        assert!(wait <= Duration::from_millis(300));
        tokio::time::sleep(wait + Duration::from_millis(20)).await;
        assert_eq!(channel.send(&[message("b")]).await, Attempt::Delivered);
        assert_eq!(server.count(), 2);
    }

    #[tokio::test]
    async fn what_is_final_and_what_is_not() {
        for (status, is_final) in [
            (400, true),
            (401, true),
            (403, true),
            (404, true),
            (413, true),
            (302, true),
            (408, false),
            (425, false),
            (500, false),
            (503, false),
        ] {
            let echo = Answer::new(status).body("{\"message\":\"no /tok-EN_5ecret \\u001b[31m here\",\"code\":1}");
            let server = Server::start(vec![echo]).await;
            let (refused, why) = match to(&server).send(&[message("a")]).await {
                Attempt::Refused { why } => (true, why),
                Attempt::Later { why, .. } => (false, why),
                Attempt::Delivered => panic!("{status}"),
            };
            assert_eq!(refused, is_final, "{status}");
            assert!(!why.contains("5ecret") && !why.contains(char::is_control), "{why}");
        }
    }

    #[tokio::test]
    async fn a_stall_and_a_dead_port_are_for_later() {
        let server = Server::start(vec![Answer::new(200).stall(Duration::from_secs(30))]).await;
        let began = Instant::now();
        let stalled = to(&server).send(&[message("a")]).await;
        assert!(matches!(&stalled, Attempt::Later { why, .. } if why.contains("in time")), "{stalled:?}");
        assert!(began.elapsed() < Duration::from_secs(5));
        let gone = Server::start(Vec::new()).await;
        let channel = to(&gone);
        gone.stop().await;
        let refused = channel.send(&[message("a")]).await;
        assert!(matches!(&refused, Attempt::Later { why, .. } if !why.contains("5ecret")), "{refused:?}");
    }
}

//! The settings, typed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::Resolved;
use super::alerts::AlertSettings;
use super::analysis::{
    DevigSettings, DislocationSettings, DivergenceSettings, FairSettings, KeyCrossSettings, LiveShockSettings,
    MoveSettings, MultibookSyncSettings, OpportunitySettings, SteamSettings,
};
use super::duration::parse_duration;
use crate::market::price::OddsFormat;

/// Everything that may be set. Checked when it was read: durations and numbers are within their bounds.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Settings {
    /// The Odds API.
    pub odds_api: OddsApiSettings,
    /// When to ask.
    pub polling: PollingSettings,
    /// What may be spent.
    pub credits: CreditSettings,
    /// What counts as a usable quote.
    pub quotes: QuoteSettings,
    /// Vig removal.
    pub devig: DevigSettings,
    /// Fair prices and consensus.
    pub fair: FairSettings,
    /// MOVE.
    #[serde(rename = "move")]
    pub market_move: MoveSettings,
    /// KEY_CROSS.
    pub key_cross: KeyCrossSettings,
    /// MULTIBOOK_SYNC.
    pub multibook_sync: MultibookSyncSettings,
    /// STEAM.
    pub steam: SteamSettings,
    /// DISLOCATION.
    pub dislocation: DislocationSettings,
    /// EXCHANGE_DIVERGENCE.
    pub exchange_divergence: DivergenceSettings,
    /// LIVE_SHOCK.
    pub live_shock: LiveShockSettings,
    /// Bets that are worth telling.
    pub opportunities: OpportunitySettings,
    /// The database.
    pub store: StoreSettings,
    /// How long things are kept.
    pub retention: RetentionSettings,
    /// The exchange Polymarket.
    pub polymarket: PolymarketSettings,
    /// The desk's hub.
    pub hub: HubSettings,
    /// How alerts reach the user.
    pub alerts: AlertSettings,
    /// The board.
    pub board: BoardSettings,
    /// The log.
    pub log: LogSettings,
    /// Metrics and health over HTTP.
    pub metrics: MetricsSettings,
}

/// Settings of the source The Odds API.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct OddsApiSettings {
    /// Where questions are sent to.
    pub base_url: String,
    /// File of the key; empty for the usual place.
    pub key_file: String,
    /// Sport keys to follow.
    pub sports: Vec<String>,
    /// Market keys; never empty.
    pub markets: Vec<String>,
    /// Regions; not empty unless `books` has some.
    pub regions: Vec<String>,
    /// Books; win over regions when not empty.
    pub books: Vec<String>,
    /// How prices are asked for.
    #[serde(deserialize_with = "odds_format")]
    pub odds_format: OddsFormat,
    /// Limits of books are asked for.
    pub bet_limits: bool,
    /// Time between two looks at a sport.
    #[serde(deserialize_with = "duration")]
    pub interval: Duration,
    /// How long to wait for an answer.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// `local`: looks are stamped with this machine's time; `server`: with the time that each answer carries.
    pub clock: String,
    /// File to which answers are recorded; empty for none.
    pub record: String,
}

/// When to ask.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct PollingSettings {
    /// `planned` or `steady`.
    pub pace: String,
    /// Between two looks, far from the start.
    #[serde(deserialize_with = "duration")]
    pub far: Duration,
    /// Between the two bounds.
    #[serde(deserialize_with = "duration")]
    pub middle: Duration,
    /// Close to the start.
    #[serde(deserialize_with = "duration")]
    pub near: Duration,
    /// The middle band begins so long before the start.
    #[serde(deserialize_with = "duration")]
    pub middle_from: Duration,
    /// The near band begins so long before the start.
    #[serde(deserialize_with = "duration")]
    pub near_from: Duration,
    /// The near band ends so long after the start.
    #[serde(deserialize_with = "duration")]
    pub stop_after: Duration,
    /// Games farther away are no reason to look.
    #[serde(deserialize_with = "duration")]
    pub horizon: Duration,
    /// The free list of games while nothing is on.
    #[serde(deserialize_with = "duration")]
    pub idle: Duration,
    /// The free list of games otherwise.
    #[serde(deserialize_with = "duration")]
    pub listing: Duration,
    /// Scores.
    #[serde(deserialize_with = "duration")]
    pub scores: Duration,
    /// The shortest time between two looks when credits are few.
    #[serde(deserialize_with = "duration")]
    pub low_credit: Duration,
}

/// What may be spent. Credits.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct CreditSettings {
    /// So few left are few.
    pub low: u64,
    /// A day spends no more; 0 for the month's share alone.
    pub daily_target: u64,
    /// A day's credits for watched games under way; 0 for none.
    pub in_play_daily: u64,
    /// Between two looks at those.
    #[serde(deserialize_with = "duration")]
    pub in_play: Duration,
    /// A day's credits left for history.
    pub backfill_daily: u64,
    /// A day's credits left for linking exchanges.
    pub exchange_daily: u64,
}

/// What counts as a usable quote.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct QuoteSettings {
    /// Oldest report of a book that still counts as fresh.
    #[serde(deserialize_with = "duration")]
    pub max_age: Duration,
    /// Warnings about data count as errors.
    pub strict: bool,
    /// Books with an age of their own.
    #[serde(default, deserialize_with = "durations")]
    pub max_age_by_book: BTreeMap<String, Duration>,
}

impl QuoteSettings {
    /// The oldest report of a book that still counts as fresh.
    pub fn max_age_of(&self, book: &str) -> Duration {
        self.max_age_by_book.get(book).copied().unwrap_or(self.max_age)
    }
}

/// The database.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct StoreSettings {
    /// Its path; empty for the usual place.
    pub path: String,
}

/// How long things are kept.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct RetentionSettings {
    /// Answers as they came.
    pub raw: Keep,
    /// Changes of quotes.
    pub changes: Keep,
    /// Fair prices, consensus and opportunities that newer ones have taken the place of.
    pub points: Keep,
    /// Entries about fetches and quality.
    pub logs: Keep,
    /// Rows about cycles.
    pub cycles: Keep,
    /// Order books and trades of exchanges.
    pub exchange: Keep,
}

/// The exchange Polymarket.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct PolymarketSettings {
    /// It is listened to.
    pub on: bool,
    /// Where listings are.
    pub gamma_url: String,
    /// Where order books are.
    pub clob_url: String,
    /// Where trades are.
    pub data_url: String,
    /// Where changes are told as they happen; `ws://` or `wss://`.
    pub socket_url: String,
    /// Games that start within so long are listened to.
    #[serde(deserialize_with = "duration")]
    pub horizon: Duration,
    /// How often the listings are read.
    #[serde(deserialize_with = "duration")]
    pub discover: Duration,
    /// How often what was heard is judged and kept.
    #[serde(deserialize_with = "duration")]
    pub publish: Duration,
    /// Outcomes that are listened to, at most.
    pub max_assets: u32,
    /// Dollars within two cents of bid and ask, each, for a price to count.
    pub min_depth: f64,
    /// Dollars of the stake for which the price it gets is told.
    pub stake: f64,
    /// A connection that brings nothing for so long is made anew.
    #[serde(deserialize_with = "duration")]
    pub watchdog: Duration,
    /// Calls a second, at most.
    pub calls_per_second: f64,
    /// Frames are written to this recording as they came; empty for none.
    pub record: String,
    /// How often middles of the past are fetched.
    #[serde(deserialize_with = "duration")]
    pub history: Duration,
}

/// The desk's hub.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct HubSettings {
    /// The store is kept in step with it.
    pub on: bool,
    /// File of its address; empty for the usual place.
    pub url_file: String,
    /// File of the authority that has signed its certificate; empty for the system's.
    pub ca_file: String,
    /// What this device is called there; empty for the machine's name.
    pub name: String,
    /// This device may ask the sources, when it has a key.
    pub collect: bool,
    /// A collector tells answers as they came, too.
    pub answers: bool,
    /// What a collector does that cannot reach the hub.
    pub alone: Alone,
}

/// What a collector does that cannot reach the hub.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alone {
    /// It goes on if no other collector had been there for a day, and waits otherwise.
    Auto,
    /// It goes on with what it asked for.
    Poll,
    /// It waits for the hub.
    Wait,
}

/// How long something is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Never deleted.
    Forever,
    /// Deleted when older.
    For(Duration),
}

/// The full-screen terminal. What is chosen on it (odds, columns, order) is kept by the board itself.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct BoardSettings {
    /// Name of the theme; `auto` goes by the terminal's background.
    pub theme: String,
    /// How many colours: `auto`, `none`, `16`, `256` or `true`.
    pub colours: String,
    /// Which signs: `auto`, `unicode` or `ascii`.
    pub glyphs: String,
    /// IANA name of the zone of the clocks; empty for this machine's.
    pub zone: String,
    /// Clicks and the wheel are taken; the terminal's own selection then needs the shift key.
    pub mouse: bool,
}

/// The log.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
    /// Daily files that are kept.
    pub files: u16,
    /// All files together may take so many megabytes.
    pub size_mb: u32,
}

/// The optional port for machines that watch.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct MetricsSettings {
    /// Address and port to listen on; empty for none.
    pub listen: String,
    /// Addresses that other machines can reach are allowed.
    pub allow_remote: bool,
}

/// How lines of the log are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// From values that were checked one by one.
    pub(super) fn from_values(values: &[Resolved]) -> Result<Self, String> {
        let mut root = toml::Table::new();
        for Resolved { path, value, .. } in values {
            let mut table = &mut root;
            let mut parts = path.split('.').peekable();
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    table.insert(part.to_owned(), value.clone());
                    break;
                }
                let inner = table.entry(part).or_insert_with(|| toml::Table::new().into());
                table = inner.as_table_mut().ok_or_else(|| format!("{path} is inside a value"))?;
            }
        }
        root.try_into().map_err(|e: toml::de::Error| e.message().to_owned())
    }
}

pub(super) fn duration<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(d)?;
    parse_duration(&text).ok_or_else(|| serde::de::Error::custom("not a duration"))
}

fn durations<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, Duration>, D::Error> {
    let texts = BTreeMap::<String, String>::deserialize(d)?;
    let pairs = texts.into_iter().map(|(name, text)| Some((name, parse_duration(&text)?)));
    pairs.collect::<Option<_>>().ok_or_else(|| serde::de::Error::custom("not a duration"))
}

fn odds_format<'de, D: Deserializer<'de>>(d: D) -> Result<OddsFormat, D::Error> {
    match String::deserialize(d)?.as_str() {
        "american" => Ok(OddsFormat::American),
        "decimal" => Ok(OddsFormat::Decimal),
        _ => Err(serde::de::Error::custom("not a format of odds")),
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        if text == "forever" {
            return Ok(Self::Forever);
        }
        parse_duration(&text).map(Self::For).ok_or_else(|| serde::de::Error::custom("not a duration"))
    }
}

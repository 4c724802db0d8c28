//! What a scenario says about the exchange.

use serde::{Deserialize, Serialize};

/// `[exchange]` of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeSettings {
    /// Whether there is an exchange at all; without one its paths answer 404.
    pub enabled: bool,
    /// Seconds by which the exchange moves before the leading books; negative when it follows them. During a game a
    /// twelfth of it, as with the books.
    pub lead_s: f64,
    /// Share by which prices lean towards even money: long shots are dear. 0.02 makes .100 .108.
    pub bias: f64,
    /// Deviation of the exchange's own opinion, in probability.
    pub noise: f64,
    /// Seconds between two changes of a moneyline before the game; other markets change more rarely.
    pub step_s: f64,
    /// The same during the game.
    pub live_step_s: f64,
    /// Messages a second that sockets send on top of the market's own; 0 for none. The seconds are real ones.
    pub load_per_second: u32,
    /// Requests a real second that are answered before 429; 0 for no limit.
    pub requests_per_second: u32,
}

impl Default for ExchangeSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            lead_s: 0.0,
            bias: 0.02,
            noise: 0.003,
            step_s: 20.0,
            live_step_s: 4.0,
            load_per_second: 0,
            requests_per_second: 0,
        }
    }
}

impl ExchangeSettings {
    /// Numbers are in range; says which is not.
    pub fn check(&self) -> Result<(), String> {
        for (name, x, low, high) in [
            ("lead_s", self.lead_s, -3600.0, 3600.0),
            ("bias", self.bias, 0.0, 0.5),
            ("noise", self.noise, 0.0, 0.1),
            ("step_s", self.step_s, 0.1, 3600.0),
            ("live_step_s", self.live_step_s, 0.1, 3600.0),
            ("load_per_second", f64::from(self.load_per_second), 0.0, 100_000.0),
        ] {
            if !(x.is_finite() && x >= low && x <= high) {
                return Err(format!("exchange: {name} must lie between {low} and {high}"));
            }
        }
        Ok(())
    }
}

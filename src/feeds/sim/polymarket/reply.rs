//! An answer of the exchange over HTTP, and its refusals.

use super::super::api::Delivery;
use super::super::faults::FaultKind;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `text/html` instead of JSON.
    pub html: bool,
    /// Further headers.
    pub headers: Vec<(&'static str, &'static str)>,
    /// How it travels.
    pub delivery: Delivery,
    /// Body.
    pub body: String,
}

impl Reply {
    /// 200.
    pub fn ok(body: impl Into<String>) -> Self {
        Self { status: 200, html: false, headers: Vec::new(), delivery: Delivery::Plain, body: body.into() }
    }

    /// 200 with a JSON value.
    pub fn json(value: &serde_json::Value) -> Self {
        Self::ok(value.to_string())
    }

    /// A refusal with `{"error": ...}`.
    pub fn refuse(status: u16, error: &str) -> Self {
        Self { status, ..Self::json(&serde_json::json!({ "error": error })) }
    }

    /// A refusal of Gamma, which has a type as well.
    pub fn invalid(error: &str) -> Self {
        let body = serde_json::json!({"type": "validation error", "error": error});
        Self { status: 422, ..Self::json(&body) }
    }

    /// 404 of a path that nobody knows.
    pub fn not_found() -> Self {
        Self::refuse(404, "not found")
    }

    /// 404 of a book: unknown, closed and never opened look alike.
    pub fn no_book() -> Self {
        Self::refuse(404, "No orderbook exists for the requested token id")
    }

    /// 403 of the edge, for clients that do not say who they are.
    pub fn nameless() -> Self {
        Self { status: 403, html: true, ..Self::ok("error code: 1010") }
    }

    /// 429.
    pub fn too_fast() -> Self {
        Self { headers: vec![("retry-after", "10")], ..Self::refuse(429, "Too Many Requests") }
    }

    /// What a fault makes of a request; `None` when the request is answered first.
    pub fn instead(fault: FaultKind, part: &str) -> Option<Self> {
        Some(match fault {
            FaultKind::ExchangeRefused => Self { delivery: Delivery::Cut, ..Self::ok("") },
            FaultKind::ExchangeNotFound if part == "gamma" => Self::refuse(404, "not found"),
            FaultKind::ExchangeNotFound => Self::no_book(),
            FaultKind::ExchangeUnprocessable => Self::deep(),
            FaultKind::ExchangeRateLimited => Self::too_fast(),
            FaultKind::ExchangeServerError => Self {
                status: 502,
                html: true,
                ..Self::ok("<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>")
            },
            FaultKind::ExchangeErrorInOk => Self::json(&serde_json::json!({"error": "Too Many Requests"})),
            _ => return None,
        })
    }

    /// 422 of an offset that is too large.
    pub fn deep() -> Self {
        Self::invalid("offset too large, use /markets/keyset for deeper pagination")
    }

    /// What a fault makes of an answer.
    pub fn bent(mut self, fault: Option<FaultKind>) -> Self {
        match fault {
            Some(FaultKind::ExchangeSlow) => self.delivery = Delivery::Slow,
            Some(FaultKind::ExchangeCut) => self.delivery = Delivery::Cut,
            Some(FaultKind::ExchangeTruncated) => {
                let half = (0..=self.body.len() / 2).rev().find(|&i| self.body.is_char_boundary(i));
                self.body.truncate(half.unwrap_or_default());
            }
            _ => {}
        }
        self
    }

    /// With headers.
    pub fn with(mut self, headers: &[(&'static str, &'static str)]) -> Self {
        self.headers.extend_from_slice(headers);
        self
    }
}

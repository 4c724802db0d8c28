//! The provider's refusals, with its statuses, codes and body.

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `error_code`.
    pub code: &'static str,
    /// `message`.
    pub message: String,
}

impl ApiError {
    /// A refusal; the message is the provider's manner, not its words.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 422 with a code.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(422, code, message)
    }

    /// The body as recorded from the provider: message, code, link to the documentation.
    pub fn body(&self) -> Vec<u8> {
        let anchor = self.code.to_ascii_lowercase().replace('_', "-");
        let url = format!("https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#{anchor}");
        let value = serde_json::json!({"message": self.message, "error_code": self.code, "details_url": url});
        value.to_string().into_bytes()
    }
}

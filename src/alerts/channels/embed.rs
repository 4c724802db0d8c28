//! How messages look on Discord: embeds within its limits, in which no team's name can do mischief.
//!
//! Pure. The limits are Discord's: ten embeds a call and 6,000 characters in all of them together; longer texts are
//! cut, the least important first.

use serde_json::{Value, json};

use super::text::{cut, line, lines, units};
use crate::alerts::message::{Kind, Message, Severity};

/// Embeds of one call, at most.
pub(super) const MAX_EMBEDS: usize = 10;
/// Characters of all embeds of a call.
const TOTAL: usize = 6_000;
/// Characters of a title.
const TITLE: usize = 256;
/// Characters of a description.
const DESCRIPTION: usize = 4_096;
/// Fields of an embed.
const FIELDS: usize = 25;
/// Characters of a field's name.
const NAME: usize = 256;
/// Characters of a field's value.
const VALUE: usize = 1_024;
/// Characters of a footer. Discord takes more; this is a line.
const FOOTER: usize = 100;
/// Values up to here stand beside each other.
const SHORT: usize = 40;

/// The body of a call that shows `messages` (at most [`MAX_EMBEDS`]).
pub(super) fn payload(messages: &[Message]) -> Value {
    let mut embeds: Vec<Embed> = messages.iter().take(MAX_EMBEDS).map(Embed::of).collect();
    let sizes: Vec<usize> = embeds.iter().map(Embed::size).collect();
    for (embed, room) in embeds.iter_mut().zip(share(&sizes, TOTAL)) {
        embed.fit(room);
    }
    let embeds: Vec<Value> = embeds.iter().map(Embed::json).collect();
    json!({
        "embeds": embeds,
        // Whatever stands in a message, it calls nobody.
        "allowed_mentions": { "parse": [] },
    })
}

/// Shares `total` among those who want `sizes`: whoever wants less than an even part leaves the rest to the others.
fn share(sizes: &[usize], total: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&i| (sizes.get(i).copied().unwrap_or(0), i));
    let mut rooms = vec![0; sizes.len()];
    let mut left = total;
    for (done, &i) in order.iter().enumerate() {
        let part = left / (sizes.len() - done);
        let room = sizes.get(i).copied().unwrap_or(0).min(part);
        if let Some(slot) = rooms.get_mut(i) {
            *slot = room;
        }
        left -= room;
    }
    rooms
}

/// One message as an embed.
struct Embed {
    title: String,
    description: String,
    colour: u32,
    fields: Vec<(String, String)>,
    footer: String,
    at: String,
}

impl Embed {
    fn of(message: &Message) -> Self {
        let origin = message.origin.as_deref().map(|o| format!("[{}] ", escaped(&line(o)))).unwrap_or_default();
        let title = cut(&format!("{origin}{}", escaped(&line(&message.title))), TITLE);
        let facts = message.facts.iter().take(FIELDS);
        let fields = facts.map(|f| (cut(&escaped(&line(&f.label)), NAME), cut(&escaped(&lines(&f.value)), VALUE)));
        // An empty name or value is an error to Discord.
        let fields = fields.map(|(n, v)| (or_dash(n), or_dash(v))).collect();
        let mut footer = format!("Stratum, {}", message.kind.name());
        if let Some(rule) = &message.rule {
            footer.push_str(&format!(", rule {}", line(rule)));
        }
        // The same for every attempt: a repeat can be told from a second alert.
        let mark: String = blake3::hash(message.key.as_bytes()).to_hex().chars().take(8).collect();
        let footer = format!("{}, {mark}", cut(&footer, FOOTER - 10));
        Self {
            title: or_dash(title),
            description: cut(&escaped(&lines(&message.text)), DESCRIPTION),
            colour: colour(message),
            fields,
            footer,
            at: message.at.to_string(),
        }
    }

    fn size(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(n, v)| units(n) + units(v)).sum();
        units(&self.title) + units(&self.description) + units(&self.footer) + fields
    }

    /// Cuts until it takes no more than `room`: the description, then the last fields, then the title.
    fn fit(&mut self, room: usize) {
        let over = |e: &Self| e.size().saturating_sub(room);
        if over(self) > 0 {
            let keep = units(&self.description).saturating_sub(over(self));
            self.description = cut(&self.description, keep);
        }
        while over(self) > 0 && self.fields.pop().is_some() {}
        if over(self) > 0 {
            self.title = cut(&self.title, units(&self.title).saturating_sub(over(self)).max(1));
        }
    }

    fn json(&self) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value, "inline": units(value) <= SHORT }))
            .collect();
        let mut embed = json!({
            "title": self.title,
            "color": self.colour,
            "fields": fields,
            "footer": { "text": self.footer },
            "timestamp": self.at,
        });
        if !self.description.is_empty()
            && let Some(object) = embed.as_object_mut()
        {
            object.insert("description".into(), self.description.clone().into());
        }
        embed
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// Blue, teal, yellow, dark red; green for a summary in which nothing is wrong.
const fn colour(message: &Message) -> u32 {
    match (message.severity, message.kind) {
        (Severity::Info, Kind::Digest) => 3_066_993,
        (Severity::Info, _) => 3_447_003,
        (Severity::Notice, _) => 1_752_220,
        (Severity::Warning, _) => 16_776_960,
        (Severity::Critical, _) => 10_038_562,
    }
}

/// `text` in which nothing is bold, hidden, linked or mentioned.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().peekable();
    let mut starts = true;
    while let Some(c) = rest.next() {
        let link = c == ':' && rest.peek() == Some(&'/');
        // A list, where a line begins so.
        let list = starts && matches!(c, '-' | '+') && rest.peek() == Some(&' ');
        if link
            || list
            || matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '[' | ']' | '(' | ')' | '#' | '@')
        {
            out.push('\\');
        }
        out.push(c);
        starts = c == '\n';
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::message;
    use super::*;
    use crate::alerts::message::Fact;

    fn fact(label: &str, value: &str) -> Fact {
        Fact { label: label.into(), value: value.into() }
    }

    #[test]
    fn a_message_is_shown_with_all_it_says() {
        let mut m = message("k1");
        m.origin = Some("DEMO".into());
        m.title = "STEAM Boston Celtics -3.5".into();
        m.text = "6 of 9 books".into();
        m.facts = vec![fact("entry", "DraftKings -3.5 -105"), fact("time to start", "42m")];
        m.rule = Some("steam".into());
        m.severity = Severity::Warning;
        let embed = &payload(std::slice::from_ref(&m))["embeds"][0];
        assert_eq!(embed["title"], "[DEMO] STEAM Boston Celtics -3.5");
        assert_eq!(embed["description"], "6 of 9 books");
        assert_eq!(embed["color"], 16_776_960);
        assert_eq!(embed["fields"][1], json!({"name": "time to start", "value": "42m", "inline": true}));
        assert_eq!(embed["timestamp"], m.at.to_string());
        let footer = embed["footer"]["text"].as_str().expect("text");
        assert!(
            footer.starts_with("Stratum, signal, rule steam, ")
                && footer.len() == "Stratum, signal, rule steam, ".len() + 8
        );
        assert_eq!(payload(&[m.clone()]), payload(&[m]), "the same at every attempt");
    }

    #[test]
    fn a_name_does_no_mischief() {
        assert_eq!(escaped("@everyone <@&1> **x** [a](b)"), r"\@everyone \<\@&1\> \*\*x\*\* \[a\]\(b\)");
        assert_eq!(escaped("see https://x.example"), r"see https\://x.example");
        assert_eq!(escaped("- a\n# b\n> c\n-3.5 at 19:30"), "\\- a\n\\# b\n\\> c\n-3.5 at 19:30");
        assert_eq!(escaped("||x|| `y` ~~z~~ __u__"), r"\|\|x\|\| \`y\` \~\~z\~\~ \_\_u\_\_");
    }

    #[test]
    fn who_wants_little_leaves_the_rest_to_the_others() {
        assert_eq!(share(&[10, 500, 500], 610), [10, 300, 300]);
        assert_eq!(share(&[1, 2], 100), [1, 2]);
        assert_eq!(share(&[], 100), Vec::<usize>::new());
    }

    #[test]
    fn empty_parts_are_no_error() {
        let mut m = message("k");
        (m.title, m.text, m.facts) = (String::new(), "\u{200b}".into(), vec![fact("", "\u{7}")]);
        let embed = &payload(&[m])["embeds"][0];
        assert_eq!((&embed["title"], &embed["fields"][0]["value"]), (&json!("-"), &json!("-")));
        assert!(embed.get("description").is_none());
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "\\PC{0,40}",
            "[*_@<>\\[\\]()\u{202e}\u{7} 🏀a]{0,60}",
            (0_usize..5_000).prop_map(|n| "Ω".repeat(n)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_messages_break_the_limits(
            texts in prop::collection::vec((any_text(), any_text(), prop::collection::vec((any_text(), any_text()), 0..30)), 1..14)
        ) {
            let messages: Vec<Message> = texts
                .into_iter()
                .map(|(title, text, facts)| Message {
                    title,
                    text,
                    facts: facts.into_iter().map(|(l, v)| fact(&l, &v)).collect(),
                    ..message("k")
                })
                .collect();
            let body = payload(&messages);
            let embeds = body["embeds"].as_array().expect("embeds");
            prop_assert!(embeds.len() == messages.len().min(MAX_EMBEDS));
            let mut total = 0;
            for e in embeds {
                let of = |v: &Value| units(v.as_str().unwrap_or_default());
                let fields = e["fields"].as_array().expect("fields");
                prop_assert!(fields.len() <= FIELDS);
                prop_assert!((1..=TITLE).contains(&of(&e["title"])) && of(&e["description"]) <= DESCRIPTION);
                total += of(&e["title"]) + of(&e["description"]) + of(&e["footer"]["text"]);
                for f in fields {
                    prop_assert!((1..=NAME).contains(&of(&f["name"])) && (1..=VALUE).contains(&of(&f["value"])));
                    total += of(&f["name"]) + of(&f["value"]);
                }
            }
            prop_assert!(total <= TOTAL, "{}", total);
        }
    }
}

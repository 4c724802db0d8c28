//! The table of books: who quotes, under which name and column, from which region, and how much its word counts.
//!
//! Owns the facts of `assets/books.toml`, what a user's own table changes in them, and the arithmetic of a book's
//! fee. May not know any quote. A key that the table does not hold is a book all the same: [`Books::resolve`]
//! describes it by defaults and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

const EMBEDDED: &str = include_str!("../../assets/books.toml");

/// What sort of business stands behind the prices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BookKind {
    /// Takes large bets from winners: its line is an opinion.
    Sharp,
    /// Licensed book for the public.
    Retail,
    /// Unlicensed where its customers live.
    Offshore,
    /// Prices come from other customers, not from the house; includes prediction markets.
    Exchange,
    /// Daily fantasy: pick'em cards with fixed payouts.
    Dfs,
}

impl BookKind {
    /// The name in tables and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sharp => "sharp",
            Self::Retail => "retail",
            Self::Offshore => "offshore",
            Self::Exchange => "exchange",
            Self::Dfs => "dfs",
        }
    }
}

/// What a book takes beyond its price.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, serde::Serialize)]
#[serde(tag = "model", content = "rate", rename_all = "snake_case")]
pub enum Fee {
    /// Nothing.
    #[default]
    None,
    /// A share of the net winnings of a market (0.05 = 5 %).
    NetWin(f64),
    /// `rate * p * (1 - p)` for each share bought at price `p` that pays 1.
    Polymarket(f64),
    /// The same formula, rounded up to the whole cent for each order.
    Kalshi(f64),
}

impl Fee {
    /// The rate, 0 when there is no fee.
    pub const fn rate(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::NetWin(rate) | Self::Polymarket(rate) | Self::Kalshi(rate) => rate,
        }
    }

    /// Decimal odds after the fee, in the limit of a large order (no rounding to cents).
    ///
    /// `None` when `decimal` is not a price above 1 or nothing is left to win.
    pub fn effective_decimal(self, decimal: f64) -> Option<f64> {
        if !decimal.is_finite() || decimal <= 1.0 {
            return None;
        }
        let p = 1.0 / decimal;
        let net = match self {
            Self::None => decimal,
            Self::NetWin(rate) => 1.0 + (decimal - 1.0) * (1.0 - rate),
            Self::Polymarket(rate) | Self::Kalshi(rate) => 1.0 / (p + rate * p * (1.0 - p)),
        };
        (net > 1.0).then_some(net)
    }

    /// The fee in dollars for an order of `contracts` at price `p` (0..1), each paying one dollar.
    ///
    /// `None` when the price or the number is not sensible, and for [`Fee::NetWin`], which is charged at settlement.
    pub fn for_order(self, contracts: u32, p: f64) -> Option<f64> {
        if !(p > 0.0 && p < 1.0) {
            return None;
        }
        let raw = self.rate() * f64::from(contracts) * p * (1.0 - p);
        match self {
            Self::None => Some(0.0),
            Self::NetWin(_) => None,
            Self::Polymarket(_) => Some(raw),
            // The hair taken off keeps a fee of exactly n cents from becoming n + 1 by the last bit of the product.
            Self::Kalshi(_) => Some((raw * 100.0 - 1e-9).ceil().max(0.0) / 100.0),
        }
    }
}

/// One book.
#[derive(Clone, PartialEq, Debug)]
pub struct Book {
    /// The provider's key.
    pub key: String,
    /// Name for people.
    pub title: String,
    /// Column heading: 2 to 4 capitals or digits.
    pub short: String,
    /// Regions in which the provider serves it, in the order of the table.
    pub regions: Vec<String>,
    /// What sort of business.
    pub kind: BookKind,
    /// Books with one source of prices share a family and one vote.
    pub family: String,
    /// Vote in the fair price before families and age, at least 0; 0 is shown and not counted.
    pub weight: f64,
    /// What it takes beyond its price.
    pub fee: Fee,
    /// Age in seconds beyond which a quote is suspect, where it differs from the general bound.
    pub fresh_seconds: Option<u32>,
    /// No longer served; known from history only.
    pub retired: bool,
    /// The table holds it. Otherwise everything but the key is a default.
    pub known: bool,
}

impl Book {
    /// A book that no table holds: retail, weight 1, a family of its own.
    fn unknown(key: &str) -> Self {
        let letters: String = key.chars().filter(char::is_ascii_alphanumeric).take(4).collect();
        Self {
            key: key.to_owned(),
            title: key.to_owned(),
            short: letters.to_ascii_uppercase(),
            regions: Vec::new(),
            kind: BookKind::Retail,
            family: key.to_owned(),
            weight: 1.0,
            fee: Fee::None,
            fresh_seconds: None,
            retired: false,
            known: false,
        }
    }
}

/// Why a table of books cannot be used.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum BooksError {
    /// Not TOML, or a field that a book does not have.
    #[error("the table of books cannot be read: {0}")]
    Syntax(String),
    /// A field whose value makes no sense.
    #[error("book \"{key}\": {field} {problem}")]
    Field {
        /// The book.
        key: String,
        /// The field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A key or column heading used twice.
    #[error("book \"{key}\": {field} \"{value}\" is already taken; give it another one")]
    Duplicate {
        /// The second book.
        key: String,
        /// `key` or `short`.
        field: &'static str,
        /// The value.
        value: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    book: Vec<Entry>,
}

/// A book as written. Everything but the key may be left out: then a default, or what the table below it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: String,
    title: Option<String>,
    short: Option<String>,
    regions: Option<Vec<String>>,
    kind: Option<BookKind>,
    family: Option<String>,
    weight: Option<f64>,
    fee: Option<Fee>,
    fresh_seconds: Option<u32>,
    retired: Option<bool>,
}

/// All books, by key.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Books {
    by_key: BTreeMap<String, Book>,
}

impl Books {
    /// The table that comes with the program.
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<Books> = OnceLock::new();
        // A test proves that the embedded text parses; without it every book would be an unknown one.
        TABLE.get_or_init(|| Self::parse(EMBEDDED).unwrap_or_default())
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`BooksError`] with the book and field to mend.
    pub fn parse(text: &str) -> Result<Self, BooksError> {
        Self::default().with_overrides(text)
    }

    /// This table with another laid over it: fields given there replace ours, new keys are added.
    ///
    /// # Errors
    /// [`BooksError`] with the book and field to mend; the table itself is unchanged.
    pub fn with_overrides(&self, text: &str) -> Result<Self, BooksError> {
        let file: File = toml::from_str(text).map_err(|e| BooksError::Syntax(e.to_string()))?;
        let mut table = self.clone();
        let mut seen = BTreeSet::new();
        for entry in file.book {
            if !seen.insert(entry.key.clone()) {
                let key = entry.key;
                return Err(BooksError::Duplicate { value: key.clone(), key, field: "key" });
            }
            let base = table.by_key.remove(&entry.key).unwrap_or_else(|| Book::unknown(&entry.key));
            let book = entry.over(base)?;
            table.by_key.insert(book.key.clone(), book);
        }
        table.check_headings()?;
        Ok(table)
    }

    /// The book of a key, if the table holds it.
    pub fn get(&self, key: &str) -> Option<&Book> {
        self.by_key.get(key)
    }

    /// The book of any key; one that the table does not hold is described by defaults, with `known` false.
    ///
    /// The column heading of such a book is made of its key and need not be unique.
    pub fn resolve(&self, key: &str) -> Book {
        self.get(key).cloned().unwrap_or_else(|| Book::unknown(key))
    }

    /// All books, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = &Book> {
        self.by_key.values()
    }

    /// The books that are still served in a region, sorted by key.
    pub fn in_region<'a>(&'a self, region: &'a str) -> impl Iterator<Item = &'a Book> {
        self.iter().filter(move |b| !b.retired && b.regions.iter().any(|r| r == region))
    }

    fn check_headings(&self) -> Result<(), BooksError> {
        let mut taken = BTreeSet::new();
        for book in self.iter() {
            if !taken.insert(&book.short) {
                return Err(BooksError::Duplicate { key: book.key.clone(), field: "short", value: book.short.clone() });
            }
        }
        Ok(())
    }
}

/// The regions of The Odds API.
const REGIONS: [&str; 9] = ["us", "us2", "us_dfs", "us_ex", "uk", "eu", "au", "fr", "se"];

impl Entry {
    /// `base` with the fields given here, checked.
    fn over(self, base: Book) -> Result<Book, BooksError> {
        let book = Book {
            key: self.key,
            title: self.title.unwrap_or(base.title),
            short: self.short.unwrap_or(base.short),
            regions: self.regions.unwrap_or(base.regions),
            kind: self.kind.unwrap_or(base.kind),
            family: self.family.unwrap_or(base.family),
            weight: self.weight.unwrap_or(base.weight),
            fee: self.fee.unwrap_or(base.fee),
            fresh_seconds: self.fresh_seconds.or(base.fresh_seconds),
            retired: self.retired.unwrap_or(base.retired),
            known: true,
        };
        let wrong = |field, problem: String| Err(BooksError::Field { key: book.key.clone(), field, problem });
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if book.key.is_empty() || !book.key.chars().all(plain) {
            return wrong("key", "must consist of small letters, digits and _".into());
        }
        if book.title.trim().is_empty() {
            return wrong("title", "is empty".into());
        }
        let heading = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if !(2..=4).contains(&book.short.len()) || !book.short.chars().all(heading) {
            return wrong("short", format!("\"{}\" must be 2 to 4 capitals or digits", book.short));
        }
        if let Some(region) = book.regions.iter().find(|r| !REGIONS.contains(&r.as_str())) {
            return wrong("regions", format!("\"{region}\" is unknown; there are {}", REGIONS.join(", ")));
        }
        if book.family.trim().is_empty() {
            return wrong("family", "is empty; leave it out for a family of its own".into());
        }
        if !(0.0..=100.0).contains(&book.weight) {
            return wrong("weight", format!("{} must lie between 0 and 100", book.weight));
        }
        if !(0.0..1.0).contains(&book.fee.rate()) {
            return wrong("fee", format!("rate {} must be at least 0 and below 1 (0.05 is 5 %)", book.fee.rate()));
        }
        if book.fresh_seconds == Some(0) {
            return wrong("fresh_seconds", "must be above 0".into());
        }
        Ok(book)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_embedded_table_is_sound_and_holds_the_served_books() {
        let books = Books::parse(EMBEDDED).expect("embedded");
        assert!(books.iter().filter(|b| !b.retired).count() >= 60);
        assert_eq!(Books::embedded(), &books);
        for key in ["betonlineag", "betmgm", "betrivers", "betus", "bovada", "williamhill_us", "draftkings"] {
            assert!(books.in_region("us").any(|b| b.key == key), "{key}");
        }
        for key in ["betopenly", "kalshi", "novig", "polymarket", "prophetx"] {
            assert!(books.in_region("us_ex").any(|b| b.key == key && b.kind == BookKind::Exchange), "{key}");
        }
        for (key, short) in [("pinnacle", "PIN"), ("draftkings", "DK"), ("fanduel", "FD"), ("betmgm", "MGM")] {
            assert_eq!(books.get(key).map(|b| b.short.as_str()), Some(short));
        }
        assert!(books.iter().all(|b| b.known && !b.key.contains("circa")));
    }

    #[test]
    fn sister_books_share_a_family_and_strangers_do_not() {
        let family = |key: &str| Books::embedded().resolve(key).family;
        for sisters in [
            &["betonlineag", "lowvig"][..],
            &["hardrockbet", "hardrockbet_az", "hardrockbet_fl", "hardrockbet_oh"],
            &["betfair_ex_uk", "betfair_ex_eu", "betfair_ex_au"],
            &["unibet", "unibet_nl", "unibet_se", "betparx", "ballybet", "casumo", "betrivers"],
            &["ladbrokes_au", "neds", "ladbrokes_uk", "coral"],
            &["betsson", "nordicbet"],
        ] {
            assert!(sisters.windows(2).all(|w| family(w[0]) == family(w[1])), "{sisters:?}");
        }
        assert_ne!(family("betfair_ex_uk"), family("betfair_sb_uk"));
        assert_ne!(family("williamhill"), family("williamhill_us"));
        assert_eq!(family("draftkings"), "draftkings");
    }

    #[test]
    fn default_weights_do_not_pretend_to_know() {
        for book in Books::embedded().iter() {
            let expected = match book.kind {
                BookKind::Sharp => 2.0..=4.0,
                BookKind::Exchange => 1.0..=2.0,
                BookKind::Retail | BookKind::Offshore => 1.0..=1.0,
                BookKind::Dfs => 0.0..=0.0,
            };
            assert!(expected.contains(&book.weight), "{} {}", book.key, book.weight);
        }
    }

    #[test]
    fn an_unknown_book_is_a_book() {
        let book = Books::embedded().resolve("new_book");
        assert_eq!(
            (book.kind, book.weight, book.family.as_str(), book.known),
            (BookKind::Retail, 1.0, "new_book", false)
        );
        assert_eq!(book.short, "NEWB");
        assert_eq!(Books::embedded().resolve("").short, "");
    }

    #[test]
    fn fees_match_the_reference_numbers() {
        let close = |a: Option<f64>, b: f64| assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} {b}");
        // .05 at .52 costs .53248 a share.
        close(Fee::Polymarket(0.05).effective_decimal(1.0 / 0.52), 1.0 / 0.532_48);
        // 100 contracts at .52: 1.7472 rounded up.
        close(Fee::Kalshi(0.07).for_order(100, 0.52), 1.75);
        // 0.07 * 100 * 0.5 * 0.5 = 1.75 exactly stays 1.75.
        close(Fee::Kalshi(0.07).for_order(100, 0.5), 1.75);
        close(Fee::Kalshi(0.07).for_order(1, 0.99), 0.01);
        close(Fee::Kalshi(0.07).for_order(0, 0.5), 0.0);
        close(Fee::NetWin(0.05).effective_decimal(3.0), 2.9);
        close(Fee::None.effective_decimal(1.91), 1.91);
        assert_eq!(Fee::NetWin(0.05).for_order(1, 0.5), None);
        for bad in [1.0, 0.0, -2.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Fee::None.effective_decimal(bad), None);
            assert_eq!(Fee::Kalshi(0.07).for_order(1, bad), None);
        }
    }

    #[test]
    fn a_users_table_changes_what_it_names_and_nothing_else() {
        let own = r#"
            [[book]]
            key = "draftkings"
            weight = 1.4
            [[book]]
            key = "my_local"
            short = "LOC"
            kind = "sharp"
            fee = { model = "net_win", rate = 0.01 }
        "#;
        let books = Books::embedded().with_overrides(own).expect("valid");
        let dk = books.get("draftkings").expect("kept");
        assert_eq!((dk.weight, dk.short.as_str(), dk.title.as_str()), (1.4, "DK", "DraftKings"));
        assert_eq!(books.resolve("my_local").fee, Fee::NetWin(0.01));
        assert_eq!(books.get("fanduel"), Books::embedded().get("fanduel"));
        let free = Books::embedded().with_overrides("[[book]]\nkey = \"kalshi\"\nfee = { model = \"none\" }");
        assert_eq!(free.expect("valid").resolve("kalshi").fee, Fee::None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| Books::embedded().with_overrides(text).expect_err(text).to_string();
        assert!(error("[[book]]\nkey = \"x\"\nshort = \"DK\"").contains("already taken"));
        assert!(error("[[book]]\nkey = \"fanduel\"\n[[book]]\nkey = \"fanduel\"").contains("fanduel"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nweight = -1").contains("weight"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nweight = nan").contains("weight"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nfee = { model = \"net_win\", rate = 5.0 }").contains("5 %"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nregions = [\"mars\"]").contains("mars"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nshort = \"fanduel\"").contains("capitals"));
        assert!(error("[[book]]\nkey = \"Fan Duel\"").contains("key"));
        assert!(error("[[book]]\nkey = \"fanduel\"\ncolour = \"blue\"").contains("colour"));
        assert!(error("[[book]]\nkey = \"fanduel\"\nkind = \"friend\"").contains("friend"));
        assert!(error("books = 3").contains("books"));
        assert!(error("[[book]\n").contains("cannot be read"));
    }

    proptest! {
        #[test]
        fn a_fee_never_improves_a_price(d in 1.001f64..500.0, rate in 0.0f64..0.2) {
            for fee in [Fee::None, Fee::NetWin(rate), Fee::Polymarket(rate), Fee::Kalshi(rate)] {
                let net = fee.effective_decimal(d);
                prop_assert!(net.is_none_or(|n| n > 1.0 && n <= d + 1e-9));
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,80}") {
            let _ = Books::parse(&text);
            let _ = Books::embedded().resolve(&text);
        }
    }
}

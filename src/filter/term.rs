//! One term of a field: its comparison and its values.

use super::choices::{self, Choice};
use super::error::FilterError;
use super::expr::Expr;
use super::fields::{self, FieldInfo, FieldKind, Flag, NumberField, TextField, Unit};
use super::number::{Compare, Number, NumberTest, Span};
use super::parse::{Parser, nothing_to_find, unknown};
use super::pattern::{Pattern, Place};
use super::scan;
use super::values::{self, TextValue};

/// A value as it stands in the input.
struct Written {
    text: String,
    from: usize,
    to: usize,
}

impl Parser<'_, '_, '_> {
    /// Reads the term of the field whose name begins here.
    pub(super) fn field(&mut self, name: &str) -> Result<Expr, FilterError> {
        let from = self.at;
        let Some(info) = fields::field_of(name) else {
            let names: Vec<_> = fields::FIELDS.iter().map(|f| f.name).collect();
            let canonical = |n| fields::field_of(n).map_or(n, |f| f.name);
            let mut error = unknown(from..from + name.len(), "a field", name, &names, fields::names(), canonical);
            if !error.message.ends_with('?') {
                let shown: String = name.chars().take(40).collect();
                error.message = format!("`{shown}` is not a field; to search for the text put it in quotes");
            }
            return Err(error);
        };
        self.at += name.len();
        if self.peek() == Some(':') {
            self.at += 1;
            return match info.kind {
                FieldKind::Text(field) => self.text(info, field, false),
                FieldKind::Choice(field, list) => self.choice(info, field, list),
                FieldKind::Flag(list) => self.flags(info, list),
                FieldKind::Number(field, unit) => self.spans(info, field, unit),
            };
        }
        self.blanks();
        let Some(compare) = Compare::at_start_of(self.rest()) else { return Err(self.missing(info)) };
        let sign = self.at..self.at + compare.sign().len();
        self.at = sign.end;
        match (info.kind, compare) {
            (FieldKind::Number(field, unit), _) => {
                self.blanks();
                self.comparison(info, field, unit, compare)
            }
            (FieldKind::Text(field), Compare::Equal) => self.text(info, field, values::has_exact(field)),
            (FieldKind::Choice(field, list), Compare::Equal) => self.choice(info, field, list),
            (FieldKind::Flag(list), Compare::Equal) => self.flags(info, list),
            (_, Compare::NotEqual) => {
                let message = format!("`{0}` takes no `!=`; write `-{1}`", info.name, info.example);
                Err(FilterError::new(sign, message).expecting([":"]))
            }
            _ => {
                let message = format!("`{}` is not a number; write `{}`", info.name, info.example);
                Err(FilterError::new(sign, message).expecting([":"]))
            }
        }
    }

    /// There is no value where one is needed.
    fn missing(&self, info: &FieldInfo) -> FilterError {
        let message = format!("`{}` needs a value here, as in `{}`", info.name, info.example);
        let words = info.kind.choices().unwrap_or_default().iter().map(|c| c.name);
        FilterError::new(self.at..self.at, message).expecting(words).incomplete_if(self.is_last(self.at))
    }

    /// The values between commas; at least one.
    fn list(&mut self, info: &FieldInfo) -> Result<Vec<Written>, FilterError> {
        let mut found = Vec::new();
        loop {
            let from = self.at;
            let text = if self.peek() == Some('"') {
                self.quoted()?
            } else {
                let text = self.rest().get(..scan::value_len(self.rest())).unwrap_or_default().to_owned();
                self.at += text.len();
                text
            };
            if self.at == from {
                return Err(self.missing(info));
            }
            found.push(Written { text, from, to: self.at });
            match self.peek() {
                Some(',') => {
                    self.at += 1;
                    // "a, b": nothing else can follow a comma.
                    self.blanks();
                }
                Some('"') => {
                    let message = "put a comma or a blank before the quote".to_owned();
                    return Err(FilterError::new(self.at..self.at + 1, message));
                }
                _ => return Ok(found),
            }
        }
    }

    fn text(&mut self, info: &FieldInfo, field: TextField, exact: bool) -> Result<Expr, FilterError> {
        let mut values: Vec<TextValue> = Vec::new();
        for written in self.list(info)? {
            let value =
                TextValue::of(field, exact, &written.text).ok_or_else(|| nothing_to_find(written.from..written.to))?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(Expr::Text { field, exact, values })
    }

    fn choice(&mut self, info: &FieldInfo, field: TextField, list: &'static [Choice]) -> Result<Expr, FilterError> {
        let mut values: Vec<TextValue> = Vec::new();
        for written in self.list(info)? {
            let name = if written.text.contains('*') && fits_some(list, &written.text) {
                written.text.clone()
            } else {
                self.one_of(info, list, &written)?.name.to_owned()
            };
            let value = TextValue::of(field, false, &name).ok_or_else(|| nothing_to_find(written.from..written.to))?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Ok(Expr::Text { field, exact: false, values })
    }

    fn flags(&mut self, info: &FieldInfo, list: &'static [Choice]) -> Result<Expr, FilterError> {
        let mut flags: Vec<Flag> = Vec::new();
        for written in self.list(info)? {
            let flag = Flag::from_name(self.one_of(info, list, &written)?.name);
            flags.extend(flag.filter(|f| !flags.contains(f)));
        }
        Ok(Expr::Is(flags))
    }

    fn one_of(
        &self,
        info: &FieldInfo,
        list: &'static [Choice],
        written: &Written,
    ) -> Result<&'static Choice, FilterError> {
        if let Some(choice) = choices::find(list, &written.text) {
            return Ok(choice);
        }
        let names: Vec<_> = list.iter().map(|c| c.name).collect();
        let candidates = list.iter().flat_map(|c| std::iter::once(c.name).chain(c.aliases.iter().copied()));
        let canonical = |n| choices::find(list, n).map_or(n, |c| c.name);
        let what = if info.name == "is" { "a flag".to_owned() } else { format!("a {}", info.name) };
        let span = written.from..written.to;
        let begun = super::fold(&written.text);
        let may_grow = list.iter().any(|c| super::fold(c.name).starts_with(&begun)) && self.is_last(written.to);
        Err(unknown(span, &what, &written.text, &names, candidates, canonical).incomplete_if(may_grow))
    }

    fn comparison(
        &mut self,
        info: &FieldInfo,
        field: NumberField,
        unit: Unit,
        compare: Compare,
    ) -> Result<Expr, FilterError> {
        let values = self.list(info)?;
        let [written] = &values[..] else {
            let span = values.first().map_or(self.at..self.at, |v| v.to..self.at);
            let message = format!("a comparison takes one number; for several write `{}:1,2`", info.name);
            return Err(FilterError::new(span, message));
        };
        if written.text.contains("..") {
            let message = format!("a range follows a colon: write `{}:{}`", info.name, written.text);
            return Err(FilterError::new(written.from..written.to, message));
        }
        let number = Number::parse(&written.text, unit).map_err(|m| self.number_error(info, written, m))?;
        Ok(Expr::Number { field, test: NumberTest::Compare(compare, number) })
    }

    fn spans(&mut self, info: &FieldInfo, field: NumberField, unit: Unit) -> Result<Expr, FilterError> {
        let values = self.list(info)?;
        if let [only] = &values[..]
            && only.text == "*"
        {
            return Ok(Expr::Number { field, test: NumberTest::Any });
        }
        let mut spans = Vec::new();
        for written in &values {
            let span = Span::parse(&written.text, unit).map_err(|m| self.number_error(info, written, m))?;
            if !spans.contains(&span) {
                spans.push(span);
            }
        }
        Ok(Expr::Number { field, test: NumberTest::spans(spans) })
    }

    fn number_error(&self, info: &FieldInfo, written: &Written, message: String) -> FilterError {
        let hint = if Compare::at_start_of(&written.text).is_some() {
            format!("leave out the colon: write `{}{}`", info.name, written.text)
        } else if info.name == "books" && written.text.chars().any(char::is_alphabetic) {
            format!("`books` counts books; for one of them write `book:{}`", written.text)
        } else {
            message
        };
        FilterError::new(written.from..written.to, hint).incomplete_if(self.is_last(written.to))
    }
}

/// A word of the list fits the wildcards.
fn fits_some(list: &[Choice], written: &str) -> bool {
    let pattern = Pattern::new(Place::Whole, written);
    list.iter().any(|c| pattern.fits(&super::fold(c.name)))
}

//! Translating the text of a document, in one pass over its parts.

use commerce_core::money::Currency;
use rust_decimal::Decimal;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Inner;
use super::settings::Amounts;
use super::shape::{Member, Object, Shape, Words};
use crate::json::member as at_member;
use crate::json::tree::{MAX_DEPTH, Reader};
use crate::problem::Fault;

/// Members of problems that have no schema. Those of the first list are amounts if they are texts.
const PROBLEM_AMOUNTS: [&str; 3] = ["asked", "expected_total", "left"];
const PROBLEM_QUOTES: [&str; 2] = ["accepted_quote", "quote"];

/// Which way a document goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a caller to a handler.
    In,
    Out,
}

/// A text that is being translated.
#[derive(Debug)]
pub(super) struct Translation<'c, 't> {
    pub(super) contract: &'c Inner,
    pub(super) direction: Direction,
    pub(super) reader: Reader<'t>,
    pub(super) text: String,
    /// The id of the caller, for the members that have to name them.
    pub(super) caller: Option<&'c str>,
}

/// A fault at a place that its surroundings complete.
#[derive(Debug)]
pub(super) struct Misfit {
    pointer: String,
    code: &'static str,
    message: String,
}

type Translated = Result<(), Misfit>;

/// The object that is being translated.
struct Level<'o> {
    object: &'o Object,
    currency: Currency,
    /// The depth of its members.
    depth: usize,
    /// The members that were there, by their names within and those that were used.
    seen: Vec<(String, String)>,
}

impl Level<'_> {
    /// Notes that a member is there. It may be there once, by one of its names.
    fn note(&mut self, member: &Member, name: &str) -> Translated {
        if let Some((_, before)) = self.seen.iter().find(|(inner, _)| *inner == member.inner) {
            let message =
                if before == name { "occurs twice".to_owned() } else { format!("is already given as {before}") };
            return Err(Misfit::new("duplicate", message));
        }
        self.seen.push((member.inner.clone(), name.to_owned()));
        Ok(())
    }
}

impl Misfit {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: String::new(), code, message: message.into() }
    }

    fn within(self, name: &str) -> Self {
        Self { pointer: format!("{}{}", at_member("", name), self.pointer), ..self }
    }
}

impl<'c, 't> Translation<'c, 't> {
    pub(super) fn new(contract: &'c Inner, direction: Direction, text: &'t RawValue) -> Self {
        let written = String::with_capacity(text.get().len());
        Self { contract, direction, reader: Reader::new(text), text: written, caller: None }
    }

    /// The text in the other form.
    pub(super) fn written(mut self, shape: &Shape, currency: Currency) -> Result<String, Fault> {
        match self.value(shape, currency, 0) {
            Ok(()) => Ok(self.text),
            Err(Misfit { pointer, code, message }) => Err(Fault::at(pointer, code, message)),
        }
    }

    fn value(&mut self, shape: &Shape, currency: Currency, depth: usize) -> Translated {
        let contract = self.contract;
        match (self.reader.peek(), contract.shapes.resolve(shape)) {
            (Some(b'{' | b'['), Shape::Object(_) | Shape::List(_)) if depth == MAX_DEPTH => {
                Err(Misfit::new("too_deep", "is nested too deep"))
            }
            (Some(b'{'), Shape::Object(object)) => self.object(object, currency, depth),
            (Some(b'['), Shape::List(entry)) => self.list(entry, currency, depth),
            (Some(b'"' | b'-' | b'0'..=b'9'), Shape::Amount) => self.amount(currency),
            (Some(b'"'), Shape::Words(words)) => self.word(words),
            _ => {
                self.copy();
                Ok(())
            }
        }
    }

    fn copy(&mut self) {
        let raw = self.reader.raw();
        self.text.push_str(raw);
    }

    fn list(&mut self, entry: &Shape, currency: Currency, depth: usize) -> Translated {
        self.reader.take(b'[');
        self.text.push('[');
        let mut at = 0_usize;
        while !self.reader.take(b']') {
            if at > 0 {
                self.text.push(',');
            }
            self.value(entry, currency, depth + 1).map_err(|misfit| misfit.within(&at.to_string()))?;
            self.reader.take(b',');
            at += 1;
        }
        self.text.push(']');
        Ok(())
    }

    fn object(&mut self, object: &Object, around: Currency, depth: usize) -> Translated {
        let currency = self.currency(object).unwrap_or(around);
        let mut level = Level { object, currency, depth: depth + 1, seen: Vec::new() };
        self.reader.take(b'{');
        self.text.push('{');
        while !self.reader.take(b'}') {
            let name: String = serde_json::from_str(self.reader.scalar()).unwrap_or_default();
            self.reader.take(b':');
            self.member(&mut level, &name).map_err(|misfit| misfit.within(&name))?;
            self.reader.take(b',');
        }
        self.text.push('}');
        Ok(())
    }

    fn member(&mut self, level: &mut Level<'_>, name: &str) -> Translated {
        if self.direction == Direction::Out {
            let (outer, shape) = self.outer(level.object, name);
            self.begin(&outer);
            return self.value(&shape, level.currency, level.depth);
        }
        match level.object.outer(name) {
            Some(member) => {
                level.note(member, name)?;
                self.begin(&member.inner);
                self.value(&member.shape, level.currency, level.depth)
            }
            None if level.object.caller.iter().any(|known| known == name) => self.check_caller(),
            None if level.object.closed => Err(Misfit::new("unknown_field", "is not a known field")),
            None => {
                self.begin(name);
                self.copy();
                Ok(())
            }
        }
    }

    /// Writes the name of a member.
    fn begin(&mut self, name: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        self.text.push_str(&Value::from(name).to_string());
        self.text.push(':');
    }

    /// The name and the form of a member that leaves. What the schemas do not have is a member of a problem.
    fn outer(&mut self, object: &Object, name: &str) -> (String, Shape) {
        if let Some(member) = object.inner(name) {
            let is_count = matches!(self.reader.peek(), Some(b'-' | b'0'..=b'9'));
            let shapes = &self.contract.shapes;
            return if is_count { shapes.count(member) } else { (member.outer.clone(), member.shape.clone()) };
        }
        let is_amount = PROBLEM_AMOUNTS.contains(&name) && self.reader.peek() == Some(b'"');
        let shape = match name {
            _ if is_amount => Shape::Amount,
            _ if PROBLEM_QUOTES.contains(&name) => Shape::named("Quote"),
            _ => Shape::Same,
        };
        (self.contract.shapes.usual_name(name, is_amount), shape)
    }

    fn check_caller(&mut self) -> Translated {
        let given: Option<String> = serde_json::from_str(self.reader.raw()).ok();
        if given.is_some() && given.as_deref() == self.caller {
            return Ok(());
        }
        Err(Misfit::new("invalid", "must be the id of the caller"))
    }

    /// The currency that an object names, if it has one and its amounts depend on it.
    fn currency(&self, object: &Object) -> Option<Currency> {
        if self.contract.settings.amounts != Some(Amounts::MinorUnits) {
            return None;
        }
        let member = object.inner("currency")?;
        let is_currency = |name: &str| match self.direction {
            Direction::In => object.outer(name).is_some_and(|known| known.inner == member.inner),
            Direction::Out => name == member.inner,
        };
        let mut reader = self.reader;
        reader.take(b'{');
        while !reader.take(b'}') {
            let name: String = serde_json::from_str(reader.scalar()).ok()?;
            reader.take(b':');
            let value = reader.raw();
            if is_currency(&name) {
                return serde_json::from_str::<String>(value).ok()?.parse().ok();
            }
            reader.take(b',');
        }
        None
    }

    fn amount(&mut self, currency: Currency) -> Translated {
        let raw = self.reader.raw();
        let amounts = self.contract.settings.amounts.unwrap_or(Amounts::String);
        let written = match (amounts, self.direction) {
            (Amounts::String, _) => None,
            (Amounts::Number, Direction::In) => is_plain(raw).then(|| format!("\"{raw}\"")),
            (Amounts::Number, Direction::Out) => unquoted(raw).map(str::to_owned),
            (Amounts::MinorUnits, Direction::In) => Some(format!("\"{}\"", major(raw, currency)?)),
            (Amounts::MinorUnits, Direction::Out) => unquoted(raw).and_then(|text| minor(text, currency)),
        };
        self.text.push_str(written.as_deref().unwrap_or(raw));
        Ok(())
    }

    fn word(&mut self, words: &Words) -> Translated {
        let raw = self.reader.raw();
        let word: String = serde_json::from_str(raw).unwrap_or_default();
        let found = if self.direction == Direction::In { words.inner(&word) } else { words.outer(&word) };
        if found.is_none() && words.closed && self.direction == Direction::In {
            let known: Vec<_> = words.pairs.iter().map(|(_, outer)| outer.as_str()).collect();
            return Err(Misfit::new("invalid", format!("must be one of: {}", known.join(", "))));
        }
        let written = found.map(|word| Value::from(word).to_string());
        self.text.push_str(written.as_deref().unwrap_or(raw));
        Ok(())
    }
}

/// A number without an exponent, which is the same as a text.
fn is_plain(raw: &str) -> bool {
    raw.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
}

fn unquoted(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

/// An amount in minor units as one in major units.
fn major(raw: &str, currency: Currency) -> Result<Decimal, Misfit> {
    if raw.starts_with('"') {
        return Err(Misfit::new("wrong_type", "must be a whole number of the smallest unit of the currency"));
    }
    let figure = Decimal::from_str_exact(raw).or_else(|_| Decimal::from_scientific(raw));
    let figure = figure.map_err(|_| Misfit::new("out_of_range", "has too many digits"))?.normalize();
    if figure.scale() > 0 {
        return Err(Misfit::new("too_many_decimals", "must be a whole number of the smallest unit of the currency"));
    }
    let scaled = Decimal::try_from_i128_with_scale(figure.mantissa(), currency.decimals());
    scaled.map_err(|_| Misfit::new("out_of_range", "has too many digits"))
}

/// An amount in major units as one in minor units.
fn minor(text: &str, currency: Currency) -> Option<String> {
    let figure = Decimal::from_str_exact(text).ok()?;
    let units = Decimal::from(10_u64.checked_pow(currency.decimals())?);
    Some(figure.checked_mul(units)?.normalize().to_string())
}

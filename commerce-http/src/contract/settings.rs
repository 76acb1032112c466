//! The settings of contracts, and the built-in ones.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::shape::{Operation, Shapes};
use crate::route::PREFIXES;

/// The built-in contracts: number, name, settings.
const BUILT_IN: [(&str, &str, &str); 5] = [
    ("000", "commerce-service", include_str!("sets/000.toml")),
    ("001", "suuupra", include_str!("sets/001.toml")),
    ("002", "vy-commerce", include_str!("sets/002.toml")),
    ("003", "e-commerce-platform", include_str!("sets/003.toml")),
    ("004", "order-service", include_str!("sets/004.toml")),
];
const MAX_PREFIXES: usize = 8;
const MAX_NAME: usize = 64;

/// Names by schema and member.
type Table = BTreeMap<String, BTreeMap<String, String>>;

/// The settings of a [`Contract`](super::Contract), as the table `[api]` of the settings. Schemas and members are those of the
/// `OpenAPI` document of a shop without a contract.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContractSettings {
    /// A built-in contract. The other settings are over its own.
    pub contract: Option<String>,
    /// The prefixes of the paths, such as `/api/v1`; `""` for none. The first one is that of `Location` and of the document.
    pub prefixes: Option<Vec<String>>,
    /// How members are named.
    pub names: Option<Names>,
    /// How amounts are written.
    pub amounts: Option<Amounts>,
    /// How lists are written.
    pub lists: Option<Lists>,
    /// Whether callers have to send a key where one is needed.
    pub idempotency_key: Option<KeyRule>,
    /// Names of members, by schema: `[api.fields.Order] id = "orderId"`. They are not changed further.
    pub fields: Table,
    /// Other names that are taken, by schema: `[api.aliases.NewOrder] personId = "user_id"`.
    pub aliases: Table,
    /// Words of enumerations, by schema: `[api.values.PaymentStatus] succeeded = "captured"`.
    pub values: Table,
    /// Members that are taken if they name the caller, by schema: `[api.caller] NewCart = ["personId"]`.
    pub caller: BTreeMap<String, Vec<String>>,
    /// Members that are added to an answer, by operation: `[api.picks.addCartItem] itemId = "items.sku.id"` is the `id` of the entry
    /// of `items` whose `sku` is that of the request.
    pub picks: Table,
}

/// How members are named, unless a name is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Names {
    /// `unit_price`.
    #[serde(rename = "snake_case")]
    Snake,
    /// `unitPrice`.
    #[serde(rename = "camelCase")]
    Camel,
}

/// How amounts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amounts {
    /// `"9.99"`.
    String,
    /// `9.99`, with all digits.
    Number,
    /// `999`, in the smallest unit of the currency. The name of a member gets `_cents` at its end.
    MinorUnits,
}

/// How lists are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lists {
    /// `{ "items": [], "next_cursor": "…" }`.
    Object,
    /// `[]`. The next page is in the header `Link`.
    Array,
}

/// Whether callers have to send an `Idempotency-Key` where one is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRule {
    /// Without one, the request is refused.
    Required,
    /// A request without one gets a new key. Its repetition is another request, so only a cart protects from a second order.
    Generated,
}

/// A setting of a contract that is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum ContractError {
    #[error("contract: {0} is not a built-in contract (000 to 004)")]
    UnknownContract(String),
    #[error("prefixes: {0:?} must be empty or a path such as /api/v1; there are 1 to 8 of them, each one once")]
    Prefix(String),
    #[error("{table}: there is no schema {schema}")]
    UnknownSchema { table: &'static str, schema: String },
    #[error("{table}.{schema}: there is no member {member}")]
    UnknownMember { table: &'static str, schema: String, member: String },
    #[error("values.{schema}: there is no value {value}")]
    UnknownValue { schema: String, value: String },
    #[error("{schema}: {name:?} must have 1 to 64 letters, digits and underscores, and no digit first")]
    BadName { schema: String, name: String },
    #[error("{schema}: {name} names two members or values")]
    SameName { schema: String, name: String },
    #[error(
        "picks.{operation}: {pick:?} must be LIST.KEY.MEMBER: a list of the answer, a member of its entries that the body has too, and another one"
    )]
    Pick { operation: String, pick: String },
}

impl ContractSettings {
    /// The numbers and names of the built-in contracts.
    pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
        BUILT_IN.iter().map(|(number, name, _)| (*number, *name))
    }

    /// The settings over those of the built-in contract.
    pub(super) fn completed(self) -> Result<Self, ContractError> {
        let base = match &self.contract {
            Some(name) => of_built_in(name)?,
            None => Self::default(),
        };
        let settings = self.over(base);
        settings.check_prefixes()?;
        settings.check_names()?;
        Ok(settings)
    }

    fn over(self, base: Self) -> Self {
        let tables = |mut base: Table, own: Table| {
            for (name, entries) in own {
                base.entry(name).or_default().extend(entries);
            }
            base
        };
        Self {
            contract: self.contract,
            prefixes: self.prefixes.or(base.prefixes),
            names: self.names.or(base.names),
            amounts: self.amounts.or(base.amounts),
            lists: self.lists.or(base.lists),
            idempotency_key: self.idempotency_key.or(base.idempotency_key),
            fields: tables(base.fields, self.fields),
            aliases: tables(base.aliases, self.aliases),
            values: tables(base.values, self.values),
            caller: base.caller.into_iter().chain(self.caller).collect(),
            picks: tables(base.picks, self.picks),
        }
    }

    pub(super) fn prefixes(&self) -> Vec<String> {
        self.prefixes.clone().unwrap_or_else(|| PREFIXES.map(str::to_owned).to_vec())
    }

    fn check_prefixes(&self) -> Result<(), ContractError> {
        let prefixes = self.prefixes();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
        let is_path = |text: &str| {
            text.is_empty() || (text.starts_with('/') && text.split('/').skip(1).all(|part| !part.is_empty()))
        };
        let fits = |text: &str| text.len() <= MAX_NAME && text.bytes().all(plain) && is_path(text);
        let repeated = |at: usize, text: &String| prefixes.iter().take(at).any(|other| other == text);
        let bad = prefixes.iter().enumerate().find(|(at, text)| !fits(text) || repeated(*at, text));
        match bad {
            Some((_, text)) => Err(ContractError::Prefix(text.clone())),
            None if prefixes.is_empty() || prefixes.len() > MAX_PREFIXES => Err(ContractError::Prefix(String::new())),
            None => Ok(()),
        }
    }

    fn check_names(&self) -> Result<(), ContractError> {
        let named = self.fields.iter().flat_map(|(schema, names)| names.values().map(move |name| (schema, name)));
        let taken = self.aliases.iter().flat_map(|(schema, names)| names.keys().map(move |name| (schema, name)));
        let callers = self.caller.iter().flat_map(|(schema, names)| names.iter().map(move |name| (schema, name)));
        let picked = self.picks.iter().flat_map(|(operation, names)| names.keys().map(move |name| (operation, name)));
        let words = self.values.iter().flat_map(|(schema, words)| words.values().map(move |word| (schema, word)));
        let bad = named.chain(taken).chain(callers).chain(picked).chain(words).find(|(_, name)| !is_name(name));
        bad.map_or(Ok(()), |(schema, name)| Err(ContractError::BadName { schema: schema.clone(), name: name.clone() }))
    }

    pub(super) fn check_picks(
        &self,
        shapes: &Shapes,
        operations: &BTreeMap<String, Operation>,
    ) -> Result<(), ContractError> {
        let picks = self.picks.iter().flat_map(|(operation, picks)| picks.iter().map(move |pick| (operation, pick)));
        for (operation, (name, pick)) in picks {
            let known = operations.get(operation);
            if !known.is_some_and(|known| shapes.can_pick(known, pick)) {
                return Err(ContractError::Pick { operation: operation.clone(), pick: pick.clone() });
            }
            if known.and_then(|known| known.answer.as_ref()).is_some_and(|answer| shapes.names(answer, name)) {
                return Err(ContractError::SameName { schema: operation.clone(), name: name.clone() });
            }
        }
        Ok(())
    }

    /// The name of a member, unless one is given.
    pub(super) fn usual_name(&self, inner: &str, is_amount: bool) -> String {
        let cents = is_amount && self.amounts == Some(Amounts::MinorUnits);
        let name = if cents { format!("{inner}_cents") } else { inner.to_owned() };
        if self.names == Some(Names::Camel) { camel_case(&name) } else { name }
    }
}

#[expect(clippy::expect_used, reason = "a test reads all built-in contracts")]
fn of_built_in(name: &str) -> Result<ContractSettings, ContractError> {
    let mut known = BUILT_IN.iter().filter(|(number, known, _)| name == *number || name.eq_ignore_ascii_case(known));
    let (.., text) =
        known.next().ok_or_else(|| ContractError::UnknownContract(name.chars().take(MAX_NAME).collect()))?;
    Ok(toml::from_str(text).expect("a built-in contract can be read"))
}

fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.len() <= MAX_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut camel, part| {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

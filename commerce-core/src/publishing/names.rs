//! The names that a target has for the types of events.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;

use thiserror::Error;

use crate::event::published_types;

/// The maximum length of a name, in bytes.
pub const MAX_NAME: usize = 100;

/// Names of the events of another system: the types of events, and what that system calls them.
type Preset = (&'static [&'static str], &'static [(&'static str, &'static str)]);

/// By the names of the contracts. A type that is not listed has the same name there, or none.
const PRESETS: &[Preset] = &[
    (&["000", "commerce-service"], &[]),
    (&["001", "suuupra"], &[]),
    (
        &["002", "vy-commerce"],
        &[
            ("cart.created", "CartCreated"),
            ("cart.updated", "CartUpdated"),
            ("order.cancelled", "OrderCancelled"),
            ("order.created", "OrderCreated"),
            ("order.delivered", "OrderDelivered"),
            ("order.paid", "OrderPaid"),
            ("order.shipped", "OrderShipped"),
            ("payment.created", "PaymentRequested"),
        ],
    ),
    (
        &["003", "e-commerce-platform"],
        &[
            ("order.paid", "order.confirmed"),
            ("stock.low", "inventory.low_stock"),
            ("stock.out", "product.out_of_stock"),
        ],
    ),
    (&["004", "order-service"], &[]),
];

/// What a target calls the types of events. Types without a name of their own keep theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeNames(BTreeMap<String, String>);

impl TypeNames {
    /// The names of the events of another system, by the name of its contract.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn preset(name: &str) -> Result<Self, InvalidNames> {
        let preset = PRESETS.iter().find(|(names, _)| names.contains(&name));
        let (_, names) = preset.ok_or_else(|| InvalidNames::Preset(shortened(name)))?;
        Ok(Self(names.iter().map(|(own, theirs)| ((*own).to_owned(), (*theirs).to_owned())).collect()))
    }

    /// With a name for a type. Two types may have the same name.
    ///
    /// # Errors
    /// No event has the type, or the name is not one that every broker takes.
    pub fn with(mut self, event_type: &str, name: &str) -> Result<Self, InvalidNames> {
        if !published_types().any(|known| known == event_type) {
            return Err(InvalidNames::Type(shortened(event_type)));
        }
        let is_plain = |part: &str| {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !part.is_empty() && part.bytes().all(fits)
        };
        if name.len() > MAX_NAME || !name.split('.').all(is_plain) {
            return Err(InvalidNames::Name(shortened(name)));
        }
        self.0.insert(event_type.to_owned(), name.to_owned());
        Ok(self)
    }

    /// The name of a type.
    pub fn of<'a>(&'a self, event_type: &'a str) -> &'a str {
        self.0.get(event_type).map_or(event_type, String::as_str)
    }
}

/// Why names cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum InvalidNames {
    #[error("`{0}` is not an event type")]
    Type(String),
    #[error(
        "`{0}` is not a name of events: parts of letters, digits, - and _, with dots between, up to {MAX_NAME} characters"
    )]
    Name(String),
    #[error("`{0}` is no contract")]
    Preset(String),
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_the_name_that_the_target_knows_or_its_own() {
        let names = TypeNames::default().with("order.paid", "OrderPaid").unwrap();
        let names = names.with("order.created", "OrderPaid").unwrap();
        assert_eq!(
            ["order.paid", "order.created", "stock.out"].map(|own| names.of(own)),
            ["OrderPaid", "OrderPaid", "stock.out"]
        );
    }

    #[test]
    fn every_preset_names_types_that_exist_by_names_that_are_allowed() {
        for (names, types) in PRESETS {
            for name in *names {
                let preset = TypeNames::preset(name).unwrap();
                let again = types.iter().try_fold(TypeNames::default(), |names, (own, theirs)| names.with(own, theirs));
                assert_eq!(again.as_ref(), Ok(&preset));
            }
        }
        assert_eq!(TypeNames::preset("005"), Err(InvalidNames::Preset("005".to_owned())));
    }

    #[test]
    fn unknown_types_and_names_that_a_broker_would_not_take_are_refused() {
        let with = |own: &str, name: &str| TypeNames::default().with(own, name);
        assert_eq!(with("order.lost", "Lost"), Err(InvalidNames::Type("order.lost".to_owned())));
        for name in ["", ".", "a..b", ".a", "a.", "a b", "a*", ">", "é", "a\n", &"a".repeat(MAX_NAME + 1)] {
            assert!(matches!(with("order.paid", name), Err(InvalidNames::Name(_))), "{name}");
        }
    }
}

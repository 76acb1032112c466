//! The names of the engine's enums in columns.

use commerce_core::actor::Role;
use commerce_core::document::{ClaimKind, DocumentKind};
use commerce_core::order::{Phase, ReturnStatus};

use crate::fault::{Answer, Fault};

/// An enum that is stored by name.
pub(crate) trait DbEnum: Copy + 'static {
    const ALL: &'static [Self];

    fn db_name(self) -> &'static str;

    /// Finds the value with this name. `column` is for the error.
    fn read(column: &'static str, word: &str) -> Answer<Self> {
        Self::ALL.iter().copied().find(|known| known.db_name() == word).ok_or(Fault::Corrupt(column))
    }
}

macro_rules! db_enums {
    ($($name:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl DbEnum for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn db_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    )*};
}

db_enums! {
    ReturnStatus { Requested = "requested", Approved = "approved", Rejected = "rejected", Received = "received" }
    Role { Customer = "customer", Support = "support", Admin = "admin", Service = "service", System = "system" }
}

impl DbEnum for ClaimKind {
    const ALL: &'static [Self] = Self::ALL;

    fn db_name(self) -> &'static str {
        self.name()
    }
}

impl DbEnum for DocumentKind {
    const ALL: &'static [Self] = Self::ALL;

    fn db_name(self) -> &'static str {
        self.name()
    }
}

impl DbEnum for Phase {
    const ALL: &'static [Self] = Self::ALL;

    fn db_name(self) -> &'static str {
        self.name()
    }
}

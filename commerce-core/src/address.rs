//! Postal addresses. An order has a copy of its address.

use alloc::string::String;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::{BoundedString, Name, shows_text};

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub struct Address {
    /// The recipient. `None`: the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Street and number.
    pub line1: Name,
    /// Building, floor, care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<Name>,
    pub city: Name,
    /// State, county or province, in countries that have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Name>,
    pub postal_code: BoundedString<20>,
    pub country: Country,
}

impl Address {
    /// An address of the parts that every address has.
    pub const fn new(line1: Name, city: Name, postal_code: BoundedString<20>, country: Country) -> Self {
        Self { name: None, line1, line2: None, city, state: None, postal_code, country }
    }
}

/// A country: two capital letters, the form of ISO 3166-1 alpha-2.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Country(String);

/// The text is not a two-letter country code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an ISO 3166-1 alpha-2 country code such as \"GB\"")]
pub struct ParseCountryError;

/// The officially assigned codes of ISO 3166-1 alpha-2, in alphabetical order.
const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU \
    MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB \
    SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
    UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

shows_text!(Country);

impl FromStr for Country {
    type Err = ParseCountryError;

    fn from_str(text: &str) -> Result<Self, ParseCountryError> {
        let known = ASSIGNED.split_ascii_whitespace().any(|code| code == text);
        if known { Ok(Self(text.into())) } else { Err(ParseCountryError) }
    }
}

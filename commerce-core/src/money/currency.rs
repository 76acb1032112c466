//! ISO 4217 currencies and their number of decimals.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::MoneyError;

/// An ISO 4217 currency.
///
/// A currency knows the number of decimals of its amounts: 0 for JPY, 2 for USD, 3 for KWD.
///
/// ```
/// use commerce_core::money::Currency;
///
/// let yen: Currency = "JPY".parse()?;
/// assert_eq!(yen.decimals(), 0);
/// assert!("XYZ".parse::<Currency>().is_err());
/// # Ok::<(), commerce_core::money::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// The active ISO 4217 codes by number of decimals, in order, with a space between, without funds, metals and testing codes.
const CODES: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC \
         CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD \
         KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO \
         NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
         THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
];

impl Currency {
    /// US dollar.
    pub const USD: Self = Self { code: *b"USD", decimals: 2 };
    /// Euro.
    pub const EUR: Self = Self { code: *b"EUR", decimals: 2 };
    /// Pound sterling.
    pub const GBP: Self = Self { code: *b"GBP", decimals: 2 };
    /// Japanese yen, which has no decimals.
    pub const JPY: Self = Self { code: *b"JPY", decimals: 0 };
    /// Kuwaiti dinar, which has three decimals.
    pub const KWD: Self = Self { code: *b"KWD", decimals: 3 };

    /// The number of decimals of an amount.
    pub const fn decimals(self) -> u32 {
        // `From` is not const; widening u8 to u32 is lossless.
        #[expect(clippy::as_conversions, reason = "lossless widening in a const fn")]
        let decimals = self.decimals as u32;
        decimals
    }

    /// The three-letter code.
    #[expect(clippy::expect_used, reason = "every constructor copies ASCII letters")]
    #[expect(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn code(&self) -> &str {
        core::str::from_utf8(&self.code).expect("a code is three ASCII letters")
    }

    /// Every known currency, by number of decimals and then code.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES
            .iter()
            .flat_map(|(decimals, codes)| codes.split_ascii_whitespace().map(move |code| (*decimals, code)))
            .filter_map(|(decimals, code)| Some(Self { code: code.as_bytes().try_into().ok()?, decimals }))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    /// Parses an upper-case ISO 4217 code.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let code = text.as_bytes().try_into().map_err(|_| MoneyError::UnknownCurrency)?;
        let known = CODES.iter().find(|(_, codes)| has_code(codes, code));
        known.map(|(decimals, _)| Self { code, decimals: *decimals }).ok_or(MoneyError::UnknownCurrency)
    }
}

/// Whether a code is in a list of them. The lists are sorted.
fn has_code(codes: &str, code: [u8; 3]) -> bool {
    let (others, last) = codes.as_bytes().as_chunks();
    last == code || others.binary_search_by(|[a, b, c, _]| [*a, *b, *c].cmp(&code)).is_ok()
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

crate::text::debug_as_display!(Currency);

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::deserialize_parsed(deserializer, "an ISO 4217 currency code")
    }
}

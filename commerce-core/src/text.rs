//! Bounded text, and parsing typed values from text.

use alloc::string::String;
use core::fmt::{self, Display};
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Implements `Debug` by `Display`.
macro_rules! debug_as_display {
    ($name:ident) => {
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }
    };
}
pub(crate) use debug_as_display;

/// Implements `as_str` of a type over a string, and shows the text by `Display` and `Debug`.
macro_rules! shows_text {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }

        crate::text::debug_as_display!($name);
    };
}
pub(crate) use shows_text;

/// Declares an enum whose values have names.
macro_rules! named {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$doc])* $value,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value),*];

            /// The name in documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use named;

/// Text of 1 to `MAX` characters, trimmed, with at least one visible character. Text of up to [`MAX_LINE`] characters is one
/// line: [`is_line`]. Longer text may have several, without other control characters.
///
/// [`FromStr`] checks this. [Stored](crate::stored) text is read without checks, even if it is longer than `MAX`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BoundedString<const MAX: usize>(String);

impl<const MAX: usize> BoundedString<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The maximum length of a text that must be one line.
pub const MAX_LINE: usize = 255;

/// The name of a thing or a person.
pub type Name = BoundedString<MAX_LINE>;

/// Whether a text has neither line breaks nor control characters, also none that change the direction of the text around it.
pub fn is_line(text: &str) -> bool {
    let breaks = |char: char| matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|char| char.is_control() || breaks(char))
}

/// Whether a text has a character that is neither space nor of no width.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|char| !char.is_whitespace() && !has_no_width(char))
}

const fn has_no_width(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BoundedStringError {
    /// Only space.
    #[error("is empty")]
    Empty,
    /// More characters than allowed.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("has control characters")]
    ControlCharacters,
    /// Line breaks and tabs count as control characters here.
    #[error("has line breaks or control characters")]
    NotOneLine,
}

impl<const MAX: usize> FromStr for BoundedString<MAX> {
    type Err = BoundedStringError;

    fn from_str(text: &str) -> Result<Self, BoundedStringError> {
        let text = text.trim();
        if !is_visible(text) {
            return Err(BoundedStringError::Empty);
        }
        if text.chars().nth(MAX).is_some() {
            return Err(BoundedStringError::TooLong(MAX));
        }
        if MAX <= MAX_LINE && !is_line(text) {
            return Err(BoundedStringError::NotOneLine);
        }
        if text.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\r' | '\t')) {
            return Err(BoundedStringError::ControlCharacters);
        }
        Ok(Self(text.into()))
    }
}

impl<const MAX: usize> Display for BoundedString<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for BoundedString<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Deserializes a string through [`FromStr`]; `expected` completes "invalid type: …, expected …".
pub(crate) fn deserialize_parsed<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    deserializer.deserialize_str(Parsed { expected, target: PhantomData })
}

struct Parsed<T> {
    expected: &'static str,
    target: PhantomData<T>,
}

impl<T: FromStr<Err: Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

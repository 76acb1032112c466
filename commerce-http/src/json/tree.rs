//! The parts of a JSON text, found in one pass.

use serde_json::value::RawValue;

use super::string_length;

/// Levels of a text that are read.
pub(crate) const MAX_DEPTH: usize = 128;
/// Objects and lists of a text that are read. The largest order has fewer than 2,000.
const MAX_PARTS: usize = 10_000;

/// A JSON value whose scalars are not parsed yet.
#[derive(Debug)]
pub(crate) enum Tree<'a> {
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    /// A string, a number, `true`, `false` or `null`.
    Scalar(&'a str),
    /// An object or a list below [`MAX_DEPTH`].
    TooDeep,
    /// An object or a list after [`MAX_PARTS`] others.
    TooMany,
}

impl<'a> Tree<'a> {
    pub(crate) fn read(text: &'a RawValue) -> Self {
        Reader::new(text).value(0)
    }
}

/// Reads text that is known to be JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a str,
    parts: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a RawValue) -> Self {
        Self { rest: text.get(), parts: 0 }
    }

    /// The text of the next value, as it is written.
    pub(crate) fn raw(&mut self) -> &'a str {
        let opens = matches!(self.peek(), Some(b'{' | b'['));
        let from = self.rest;
        if opens {
            self.skip();
        } else {
            self.scalar();
        }
        from.split_at(from.len() - self.rest.len()).0
    }

    fn value(&mut self, depth: usize) -> Tree<'a> {
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                self.skip();
                Tree::TooDeep
            }
            Some(b'{' | b'[') if self.parts == MAX_PARTS => {
                self.skip();
                Tree::TooMany
            }
            Some(b'{') => Tree::Object(self.entries(b'}', |reader| {
                let name = serde_json::from_str(reader.scalar()).unwrap_or_default();
                reader.take(b':');
                (name, reader.value(depth + 1))
            })),
            Some(b'[') => Tree::List(self.entries(b']', |reader| reader.value(depth + 1))),
            _ => Tree::Scalar(self.scalar()),
        }
    }

    /// The entries between a bracket and the closing one.
    fn entries<T>(&mut self, close: u8, mut entry: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut entries = Vec::new();
        self.parts += 1;
        self.advance(1);
        while !self.take(close) && !self.rest.is_empty() {
            entries.push(entry(self));
            self.take(b',');
        }
        entries
    }

    /// Skips an object or a list.
    fn skip(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            match byte {
                b'"' => drop(self.scalar()),
                _ => drop(self.advance(1)),
            }
            if open == 0 {
                break;
            }
        }
    }

    pub(crate) fn scalar(&mut self) -> &'a str {
        self.peek();
        let text = self.rest.as_bytes();
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b']' | b'}');
        let length = match text.first() {
            Some(b'"') => string_length(text),
            _ => text.iter().position(is_end).unwrap_or(text.len()),
        };
        self.advance(length)
    }

    /// The next byte after white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.as_bytes().first().copied()
    }

    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.advance(1);
        }
        found
    }

    fn advance(&mut self, length: usize) -> &'a str {
        let (token, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

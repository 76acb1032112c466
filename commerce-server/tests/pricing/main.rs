//! `commerce price`: files of requests, and the answers shown in the documentation.

#![allow(clippy::expect_used, reason = "a test says what it expects")]

mod batch;
mod docs_answers;

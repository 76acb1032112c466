//! The contract of the HTTP interface, as a client sees it: every test speaks over a socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod buying;
mod carts;
mod catalog;
mod conditions;
mod customers;
mod document;
mod event_schemas;
mod events;
mod examples;
mod history;
mod idempotency;
mod inbox;
mod inventory;
mod limits;
mod lists;
mod logs;
mod memory;
mod metadata;
mod openings;
mod orders;
mod payment_methods;
mod payments;
mod promo_definitions;
mod promo_uses;
mod promos;
mod promotions;
mod quotes;
mod returns;
mod shop;
mod system;
mod tasks;
mod tokens;
mod transport;
mod webhook_endpoints;
mod webhooks;

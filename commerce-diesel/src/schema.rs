//! The tables for Diesel. They are the same on every database.

pub(crate) use diesel_bulk::sql_types;

diesel::table! {
    claims (kind, claim) {
        kind -> Text,
        claim -> Text,
        owner -> Text,
    }
}

diesel::table! {
    documents (kind, id) {
        kind -> Text,
        id -> Text,
        version -> BigInt,
        created_at -> BigInt,
        search -> Text,
        body -> Text,
    }
}

/// Calls a macro with the documents that have a table of their own: `table Row Kind;`.
macro_rules! own_tables {
    ($then:ident $($more:tt)*) => {
        $then! {
            [
                carts CartRow Cart;
                customers CustomerRow Customer;
                payments PaymentRow Payment;
                products ProductRow Product;
            ]
            $($more)*
        }
    };
}
pub(crate) use own_tables;

macro_rules! declare {
    ([$($table:ident $row:ident $kind:ident;)*]) => {
        $(diesel::table! {
            $table (id) {
                id -> Text,
                version -> BigInt,
                created_at -> BigInt,
                search -> Text,
                body -> Text,
            }
        })*

        diesel::allow_tables_to_appear_in_same_query!(documents, document_keys, claims, $($table),*);
    };
}
own_tables!(declare);

diesel::table! {
    document_keys (kind, id, lookup) {
        kind -> Text,
        id -> Text,
        lookup -> Text,
    }
}

diesel::table! {
    tasks (subject, kind) {
        kind -> Text,
        subject -> Text,
        payload -> Text,
        due -> BigInt,
        ready_at -> Nullable<BigInt>,
        failures -> BigInt,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    orders (id) {
        id -> Id,
        user_id -> Text,
        payment_id -> Id,
        status -> Text,
        phase -> Text,
        version -> BigInt,
        created_at -> BigInt,
        units -> BigInt,
        state -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::sql_types::Id;

    returns (id) {
        id -> Id,
        order_id -> Id,
        status -> Text,
    }
}

diesel::table! {
    stock (sku) {
        sku -> Text,
        on_hand -> BigInt,
        reserved -> BigInt,
        reorder_threshold -> Nullable<BigInt>,
        next_expiry -> Nullable<BigInt>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    reservations (sku, order_id) {
        sku -> Text,
        order_id -> Id,
        units -> BigInt,
        held_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    events (position) {
        position -> BigInt,
        stream_kind -> Text,
        stream_id -> Text,
        sequence -> BigInt,
        event_id -> Id,
        event_type -> Text,
        happened_at -> BigInt,
        actor_role -> Text,
        actor_user -> Nullable<Text>,
        trace -> Nullable<Text>,
        body -> Text,
    }
}

diesel::table! {
    idempotency_keys (scope, request_key) {
        scope -> Text,
        request_key -> Text,
        fingerprint -> Text,
        given_at -> BigInt,
        order_version -> Nullable<BigInt>,
        reply -> Text,
    }
}

diesel::table! {
    promotion_uses (promotion_id) {
        promotion_id -> Text,
        used -> BigInt,
        spent -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    promotion_redemptions (promotion_id, order_id) {
        promotion_id -> Text,
        order_id -> Id,
        user_id -> Text,
        currency -> Text,
        amount -> BigInt,
        redeemed_at -> BigInt,
        released_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::sql_types::Id;

    sandbox_books (number) {
        number -> BigInt,
        payment_id -> Id,
        written -> BigInt,
        book -> Text,
        event -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use super::sql_types::Id;

    webhook_deliveries (endpoint_id, id) {
        endpoint_id -> Id,
        id -> Id,
        body -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(orders, returns, document_keys, events);
diesel::allow_tables_to_appear_in_same_query!(promotion_uses, document_keys);
diesel::allow_tables_to_appear_in_same_query!(promotion_redemptions, document_keys);

diesel::table! {
    feed (id) {
        id -> BigInt,
        position -> BigInt,
        promotions -> BigInt,
    }
}

diesel::table! {
    publish_targets (name) {
        name -> Text,
        position -> BigInt,
        version -> BigInt,
        holder -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        failures -> BigInt,
        failing_since -> Nullable<BigInt>,
        retry_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
    }
}

//! The tables as Diesel knows them, the same for every database.

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
        body -> Text,
    }
}

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
    products (id) {
        id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        active -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    variants (product_id, position) {
        product_id -> Text,
        position -> BigInt,
        sku -> Text,
        name -> Nullable<Text>,
        price -> BigInt,
        currency -> Text,
        tax_category -> Nullable<Text>,
    }
}

diesel::table! {
    product_categories (product_id, position) {
        product_id -> Text,
        position -> BigInt,
        category_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    carts (id) {
        id -> Id,
        user_id -> Text,
        active_user_id -> Nullable<Text>,
        status -> Text,
        currency -> Text,
        order_id -> Nullable<Id>,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::sql_types::Id;

    cart_items (cart_id, position) {
        cart_id -> Id,
        position -> BigInt,
        id -> Id,
        sku -> Text,
        product_id -> Text,
        name -> Text,
        quantity -> BigInt,
        unit_price -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use super::sql_types::Id;

    cart_codes (cart_id, position) {
        cart_id -> Id,
        position -> BigInt,
        code -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    orders (id) {
        id -> Id,
        number -> Text,
        user_id -> Text,
        cart_id -> Nullable<Id>,
        payment_id -> Id,
        status -> Text,
        phase -> Text,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        entered_at -> BigInt,
        delivered_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    payments (id) {
        id -> Id,
        order_id -> Id,
        status -> Text,
        currency -> Text,
        amount -> BigInt,
        captured -> BigInt,
        refunded -> BigInt,
        reference -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    refunds (order_id, position) {
        order_id -> Id,
        position -> BigInt,
        id -> Id,
        currency -> Text,
        amount -> BigInt,
        reason -> Nullable<Text>,
        status -> Text,
        reference -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use super::sql_types::Id;

    returns (id) {
        id -> Id,
        order_id -> Id,
        position -> BigInt,
        status -> Text,
        reason -> Nullable<Text>,
        requested_at -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use super::sql_types::Id;

    return_lines (return_id, position) {
        return_id -> Id,
        position -> BigInt,
        item_id -> Id,
        quantity -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use super::sql_types::Id;

    shipments (order_id) {
        order_id -> Id,
        provider -> Text,
        method -> Text,
        tracking_number -> Nullable<Text>,
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
        body -> Text,
    }
}

diesel::table! {
    idempotency_keys (scope, request_key) {
        scope -> Text,
        request_key -> Text,
        fingerprint -> Text,
        given_at -> BigInt,
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
    promotion_customers (promotion_id, user_id) {
        promotion_id -> Text,
        user_id -> Text,
        used -> BigInt,
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

diesel::joinable!(variants -> products (product_id));
diesel::allow_tables_to_appear_in_same_query!(products, variants, product_categories);
diesel::allow_tables_to_appear_in_same_query!(orders, payments, returns, shipments);
diesel::allow_tables_to_appear_in_same_query!(documents, document_keys);

diesel::table! {
    feed (id) {
        id -> BigInt,
        position -> BigInt,
    }
}

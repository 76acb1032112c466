use super::*;

#[track_caller]
fn refused(settings: &str, words: &str) {
    let settings: ContractSettings = toml::from_str(settings).expect("settings");
    let error = Contract::new(settings).expect_err("it is refused").to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    refused("contract = \"005\"", "005 is not a built-in contract");
    refused("prefixes = []", "prefixes");
    refused("prefixes = [\"v1\"]", "prefixes: \"v1\"");
    refused("prefixes = [\"/v1/\"]", "prefixes: \"/v1/\"");
    refused("prefixes = [\"/{id}\"]", "prefixes: \"/{id}\"");
    refused("prefixes = [\"/v1\", \"/v1\"]", "each one once");
    refused("fields = { Ordre = { id = \"x\" } }", "fields: there is no schema Ordre");
    refused("fields = { Order = { ident = \"x\" } }", "fields.Order: there is no member ident");
    refused("fields = { Order = { id = \"order id\" } }", "Order: \"order id\"");
    refused("fields = { Order = { id = \"total\" } }", ": total names two");
    refused("aliases = { NewOrder = { person = \"user\" } }", "aliases.NewOrder: there is no member user");
    refused("aliases = { NewOrder = { items = \"user_id\" } }", "NewOrder: items names two");
    refused("caller = { NewCart = [\"metadata\"] }", "NewCart: metadata names two");
    refused("caller = { Basket = [\"user\"] }", "caller: there is no schema Basket");
    refused("values = { PaymentStatus = { done = \"x\" } }", "values.PaymentStatus: there is no value done");
    refused("values = { PaymentStatus = { succeeded = \"failed\" } }", "PaymentStatus: failed names two");
    refused("picks = { listOrders = { first = \"items.id.id\" } }", "picks.listOrders");
    for path in
        ["item.sku.id", "items.skv.id", "items.sku.ident", "items.id.sku", "items.sku", "items.sku.id.id", "id.sku.id"]
    {
        refused(
            &format!("picks = {{ addCartItem = {{ mine = \"{path}\" }} }}"),
            &format!("picks.addCartItem: \"{path}\""),
        );
    }
    refused("picks = { addCartItem = { user_id = \"items.sku.id\" } }", "addCartItem: user_id names two");
}

#[test]
fn a_setting_is_over_that_of_the_built_in_contract() {
    let text = "contract = \"002\"\nlists = \"object\"\n[fields.Order]\nid = \"number_of_order\"\nnumber = \"no\"\n";
    let contract = Contract::new(toml::from_str(text).expect("settings")).expect("a contract");
    let document: Value = serde_json::from_slice(contract.document()).expect("a document");
    let order = &document["components"]["schemas"]["Order"]["properties"];
    assert!(order["number_of_order"].is_object() && order["no"].is_object() && order["totalAmountCents"].is_object());
    assert!(document["components"]["schemas"]["List_Order"]["properties"]["nextCursor"].is_object());
}

#[test]
fn the_document_has_what_a_client_may_send_and_gets_beside_the_names() {
    let contract = Contract::new(toml::from_str("contract = \"002\"").expect("settings")).expect("a contract");
    let document: Value = serde_json::from_slice(contract.document()).expect("a document");
    let schemas = &document["components"]["schemas"];
    let item = &schemas["NewItem"];
    assert!(item["properties"]["sku"]["description"].as_str().expect("a text").contains("`variantId`"), "{item}");
    let either = serde_json::json!([{ "anyOf": [{ "required": ["sku"] }, { "required": ["variantId"] }] }]);
    assert_eq!(item["allOf"], either, "{item}");
    assert!(!item["required"].to_string().contains("variantId"), "{item}");
    assert_eq!(schemas["NewCart"]["properties"]["personId"]["type"], "string");
    let listed = |path: &str| &document["paths"][path]["get"]["responses"]["200"]["headers"]["Link"];
    assert!(listed("/products").is_object() && listed("/carts/{id}").is_null(), "{}", document["paths"]["/products"]);
}

/// Without a setting, the document is the same but for the events of the feed.
#[test]
fn a_contract_without_settings_changes_no_name() {
    let contract = Contract::new(ContractSettings::default()).expect("a contract");
    let translated: Value = serde_json::from_slice(contract.document()).expect("a document");
    let plain: Value = serde_json::from_str(&crate::openapi()).expect("a document");
    for (path, operations) in plain["paths"].as_object().expect("paths") {
        assert_eq!(translated["paths"][path], *operations, "{path}");
    }
    assert_eq!(translated["components"]["links"], plain["components"]["links"]);
    assert_eq!(translated["components"]["examples"], plain["components"]["examples"]);
    for (name, schema) in translated["components"]["schemas"].as_object().expect("schemas") {
        assert!(name == "EventPayload" || *schema == plain["components"]["schemas"][name], "{name}");
    }
}

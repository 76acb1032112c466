//! Products and categories.

use serde_json::json;

use super::shop::{Shop, fresh_key, order_of};

#[tokio::test]
async fn an_admin_makes_and_changes_products() {
    let shop = Shop::open().await;
    let shirt = json!({
        "id": "shirt", "name": "Shirt", "description": "Cotton.", "currency": "USD", "categories": [],
        "variants": [{ "sku": "S-RED", "name": "red", "price": "20.00" }, { "sku": "S-BLUE", "name": "blue", "price": 21 }],
    });
    for client in [shop.ann(), shop.support(), shop.service()] {
        client.post("/v1/products", &shirt).send().await.problem(403, "forbidden");
    }
    let made = shop.admin().post("/v1/products", &shirt).send().await;
    let product = made.expect(201);
    assert_eq!(made.header("location"), "/v1/products/shirt");
    assert_eq!((&product["version"], &product["active"]), (&json!(1), &json!(true)));
    assert_eq!(product["variants"][1], json!({ "sku": "S-BLUE", "name": "blue", "price": "21.00", "metadata": {} }));
    shop.admin().post("/v1/products", &shirt).send().await.problem(409, "product_exists");
    let variants = shop.guest().get("/v1/products/shirt/variants").send().await.expect(200);
    assert_eq!((&variants["items"], &variants["currency"]), (&product["variants"], &json!("USD")));
    let thief = json!({ "name": "Thief", "variants": [{ "sku": "S-RED", "price": "1.00" }] });
    let taken = shop.admin().put("/v1/products/thief", &thief).send().await.problem(409, "sku_taken");
    assert_eq!((&taken["sku"], &taken["product_id"]), (&json!("S-RED"), &json!("shirt")));
    let other = json!({ "id": "coat", "name": "Coat", "variants": [{ "sku": "C", "price": "1.00" }] });
    shop.admin().put("/v1/products/shirt", &other).send().await.invalid("/id", "invalid");
}

#[tokio::test]
async fn a_product_without_an_id_gets_one() {
    let shop = Shop::open().await;
    let cup = json!({ "name": "Cup", "variants": [{ "sku": "CUP", "price": "1.00" }] });
    let made = shop.admin().post("/v1/products", &cup).send().await;
    let product = made.expect(201);
    assert_eq!(shop.guest().get(made.header("location")).send().await.expect(200), product);
}

#[tokio::test]
async fn products_have_variants_that_make_sense() {
    let shop = Shop::open().await;
    let refused = [
        (json!({ "name": "X", "variants": [] }), "/variants", "out_of_range"),
        (
            json!({ "name": "X", "variants": [{ "sku": "A", "price": "1" }, { "sku": "A", "price": "2" }] }),
            "/variants",
            "duplicate",
        ),
        (json!({ "name": "", "variants": [{ "sku": "A", "price": "1" }] }), "/name", "invalid"),
        (
            json!({ "name": "X", "variants": [{ "sku": "A", "price": "1", "colour": "red" }] }),
            "/variants/0/colour",
            "unknown_field",
        ),
        (json!({ "name": "X", "variants": [{ "sku": "A" }] }), "/variants/0/price", "required"),
    ];
    for (product, pointer, code) in refused {
        shop.admin().put("/v1/products/x", &product).send().await.invalid(pointer, code);
    }
}

#[tokio::test]
async fn what_is_not_for_sale_only_the_shop_sees() {
    let shop = Shop::open().await;
    let hidden = json!({ "name": "Next year's", "active": false, "variants": [{ "sku": "NEXT", "price": "5.00" }] });
    shop.admin().put("/v1/products/next", &hidden).send().await.expect(200);
    for client in [shop.guest(), shop.ann()] {
        client.get("/v1/products/next").send().await.problem(404, "not_found");
        let all = client.get("/v1/products?active=false").send().await.expect(200);
        assert_eq!(all["items"].as_array().unwrap().len(), 1);
    }
    shop.support().get("/v1/products/next").send().await.expect(200);
    let inactive = shop.admin().get("/v1/products?active=false").send().await.expect(200);
    assert_eq!((inactive["items"].as_array().unwrap().len(), &inactive["items"][0]["id"]), (1, &json!("next")));
}

#[tokio::test]
async fn products_are_found_by_text_and_by_category() {
    let shop = Shop::open().await;
    for category in
        [json!({ "id": "home", "name": "Home" }), json!({ "id": "kitchen", "name": "Kitchen", "parent": "home" })]
    {
        shop.admin().post("/v1/categories", &category).send().await.expect(201);
    }
    shop.later(chrono::TimeDelta::seconds(1));
    let pan = json!({ "name": "Pan", "categories": ["kitchen"], "variants": [{ "sku": "PAN-20", "price": "30.00" }] });
    shop.admin().put("/v1/products/pan", &pan).send().await.expect(200);
    let found = async |query: &str| {
        let list = shop.guest().get(&format!("/v1/products?{query}")).send().await.expect(200);
        list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("").await, ["pan", "MUG"]);
    assert_eq!(found("q=pAn-2").await, ["pan"]);
    assert_eq!(found("q=the+mug").await, ["MUG"]);
    assert_eq!(found("q=%20mug%20").await, found("q=mug").await);
    assert_eq!(found("category=home").await, ["pan"]);
    assert_eq!(found("category=kitchen&q=mug").await, Vec::<String>::new());
    shop.guest().get("/v1/products?active=maybe").send().await.problem(422, "invalid_parameter");
}

/// PostgreSQL cannot store a NUL: the search would be an error of the store.
#[tokio::test]
async fn a_search_is_text() {
    let shop = Shop::open().await;
    for search in ["%00".to_owned(), "mug%07".to_owned(), "x".repeat(256)] {
        let answer = shop.guest().get(&format!("/v1/products?q={search}")).send().await;
        assert_eq!(answer.problem(422, "invalid_parameter")["errors"][0]["parameter"], "q");
    }
}

#[tokio::test]
async fn a_category_that_does_not_exist_is_refused() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    admin.post("/v1/categories", &json!({ "id": "home", "name": "Home" })).send().await.expect(201);
    let product =
        json!({ "name": "Pan", "categories": ["home", "hoem"], "variants": [{ "sku": "PAN", "price": "30.00" }] });
    admin.put("/v1/products/PAN", &product).send().await.invalid("/categories/1", "invalid");
    admin.post("/v1/products", &product).send().await.invalid("/categories/1", "invalid");
    shop.guest().get("/v1/products/PAN").send().await.problem(404, "not_found");
    shop.ann().put("/v1/products/PAN", &product).send().await.problem(403, "forbidden");
}

#[tokio::test]
async fn names_have_up_to_255_characters() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    let (long, longer) = ("é".repeat(255), "é".repeat(256));
    let category = |name: &str| json!({ "id": "home", "name": name });
    admin.post("/v1/categories", &category(&longer)).send().await.invalid("/name", "invalid");
    assert_eq!(admin.post("/v1/categories", &category(&long)).send().await.expect(201)["name"], *long);
    let product = |name: &str| json!({ "name": name, "variants": [{ "sku": "PAN", "name": name, "price": "30.00" }] });
    let reply = admin.put("/v1/products/PAN", &product(&longer)).send().await;
    reply.invalid("/name", "invalid");
    reply.invalid("/variants/0/name", "invalid");
    let made = admin.put("/v1/products/PAN", &product(&long)).send().await.expect(200);
    assert_eq!((&made["name"], &made["variants"][0]["name"]), (&json!(long), &json!(long)));
    admin.put("/v1/inventory/PAN", &json!({ "on_hand": 1 })).send().await.expect(200);
    let mut order = order_of("PAN", 1);
    for member in ["name", "line1", "line2", "city", "state"] {
        order["shipping_address"][member] = json!(long);
    }
    let order = shop.ann().post("/v1/orders", &order).key(&fresh_key()).send().await.expect(201);
    assert_eq!((&order["items"][0]["name"], &order["shipping_address"]["name"]), (&json!(long), &json!(long)));
}

#[tokio::test]
async fn categories_form_a_tree() {
    let shop = Shop::open().await;
    let admin = shop.admin();
    admin.post("/v1/categories", &json!({ "id": "home", "name": "Home" })).send().await.expect(201);
    let lost = json!({ "id": "x", "name": "X", "parent": "nowhere" });
    admin.post("/v1/categories", &lost).send().await.invalid("/parent", "invalid");
    shop.ann().post("/v1/categories", &lost).send().await.problem(403, "forbidden");
    admin.post("/v1/categories", &json!({ "id": "cups", "name": "Cups", "parent": "home" })).send().await.expect(201);
    admin.put("/v1/categories/cups", &json!({ "name": "Cups and mugs", "parent": "home" })).send().await.expect(200);
    admin.put("/v1/categories/cups", &json!({ "name": "Cups" })).send().await.invalid("/parent", "invalid");
    let tree = shop.guest().get("/v1/categories").send().await.expect(200);
    assert_eq!(
        tree["items"],
        json!([
            { "id": "cups", "name": "Cups and mugs", "parent": "home" },
            { "id": "home", "name": "Home", "parent": null },
        ])
    );
}

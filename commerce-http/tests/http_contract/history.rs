//! The history of carts, categories, products and promotions.

use serde_json::json;

use super::shop::Shop;

#[tokio::test]
async fn every_change_of_a_product_is_told_with_who_made_it() {
    let shop = Shop::open().await;
    let before = shop.admin().get("/v1/products/MUG").send().await.expect(200);
    let replacement = json!({ "name": "Mug", "description": "Blue", "active": true,
        "variants": [{ "sku": "MUG", "price": "12.50" }] });
    shop.admin().put("/v1/products/MUG", &replacement).send().await.expect(200);
    let history = shop.support().get("/v1/products/MUG/history").send().await.expect(200);
    let items = history["items"].as_array().expect("entries");
    let types: Vec<_> = items.iter().map(|item| item["event_type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["product.created", "product.updated"]);
    assert_eq!(items[0]["created"]["name"], before["name"]);
    assert_eq!((&items[1]["sequence"], &items[1]["actor"]["role"]), (&json!(2), &json!("admin")));
    assert_eq!(items[1]["updated"]["description"], "Blue");
    assert!(items[1]["updated"].get("id").is_none(), "what did not change is not in a patch: {history}");
}

#[tokio::test]
async fn a_cart_tells_how_it_came_to_be() {
    let shop = Shop::open().await;
    let cart = shop.ann().post("/v1/carts", &json!({})).send().await.expect(201);
    let path = format!("/v1/carts/{}", cart["id"].as_str().expect("an id"));
    shop.ann().post(&format!("{path}/items"), &json!({ "sku": "MUG", "quantity": 2 })).send().await.expect(200);
    let first = shop.admin().get(&format!("{path}/history?limit=1")).send().await.expect(200);
    assert_eq!(first["items"][0]["event_type"], "cart.created");
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = shop.admin().get(&format!("{path}/history?cursor={cursor}")).send().await.expect(200);
    assert_eq!(rest["items"][0]["updated"]["items"][0]["sku"], "MUG");
    assert_eq!(rest["items"][0]["actor"], json!({ "role": "customer", "user_id": "ann" }));
    assert_eq!(rest["next_cursor"], json!(null));
}

#[tokio::test]
async fn histories_are_for_staff() {
    let shop = Shop::open().await;
    shop.ann().get("/v1/products/MUG/history").send().await.problem(403, "forbidden");
    shop.guest().get("/v1/products/MUG/history").send().await.problem(401, "unauthenticated");
    shop.admin().get("/v1/products/NONE/history").send().await.problem(404, "not_found");
    shop.admin().get("/v1/carts/none/history").send().await.problem(404, "not_found");
    shop.admin().get("/v1/promos/none/history").send().await.problem(404, "not_found");
    shop.admin().get("/v1/categories/none/history").send().await.problem(404, "not_found");
}

//! Stock: seen and changed by those whose work it is.

use serde_json::json;

use super::shop::Shop;

#[tokio::test]
async fn stock_has_the_shape_that_is_promised() {
    let shop = Shop::open().await;
    shop.order(3).await;
    let level = json!({ "on_hand": 12, "reorder_threshold": 2 });
    let set = shop.service().put("/v1/inventory/MUG", &level).send().await;
    let stock = set.expect(200);
    let expected = json!({
        "sku": "MUG", "on_hand": 12, "reserved": 3, "available": 9, "reorder_threshold": 2, "version": stock["version"],
    });
    assert_eq!(stock, expected);
    assert_eq!(shop.support().get("/v1/inventory/MUG").send().await.expect(200), stock);
    assert_eq!(set.header("etag"), format!("\"{}\"", stock["version"]));
}

#[tokio::test]
async fn customers_do_not_see_stock() {
    let shop = Shop::open().await;
    for path in ["/v1/inventory", "/v1/inventory/MUG", "/v1/products/MUG/inventory"] {
        shop.ann().get(path).send().await.problem(403, "forbidden");
    }
    for client in [shop.ann(), shop.support()] {
        client.put("/v1/inventory/MUG", &json!({ "on_hand": 1 })).send().await.problem(403, "forbidden");
        let adjustment = json!({ "delta": 1, "reason": "found" });
        client.post("/v1/inventory/MUG/adjustments", &adjustment).send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn stock_is_received_and_corrected() {
    let shop = Shop::open().await;
    let adjust =
        |delta: i64| shop.admin().post("/v1/inventory/MUG/adjustments", &json!({ "delta": delta, "reason": "count" }));
    assert_eq!(adjust(5).send().await.expect(200)["on_hand"], 15);
    assert_eq!(adjust(-5).send().await.expect(200)["on_hand"], 10);
    adjust(-11).send().await.problem(422, "stock_out_of_range");
    shop.order(4).await;
    let problem = adjust(-7).send().await.problem(409, "below_reserved");
    assert_eq!((&problem["on_hand"], &problem["reserved"]), (&json!(3), &json!(4)));
    shop.admin().put("/v1/inventory/MUG", &json!({ "on_hand": -1 })).send().await.problem(422, "stock_out_of_range");
    let level = json!({ "on_hand": 1, "reorder_threshold": -1 });
    shop.admin().put("/v1/inventory/MUG", &level).send().await.invalid("/reorder_threshold", "invalid");
    let silent = json!({ "delta": 1 });
    shop.admin().post("/v1/inventory/MUG/adjustments", &silent).send().await.invalid("/reason", "required");
}

#[tokio::test]
async fn low_stock_is_listed() {
    let shop = Shop::open().await;
    shop.sells("CUP", "3.00", 1).await;
    shop.admin().put("/v1/inventory/CUP", &json!({ "on_hand": 1, "reorder_threshold": 1 })).send().await.expect(200);
    shop.admin().put("/v1/inventory/MUG", &json!({ "on_hand": 9, "reorder_threshold": 1 })).send().await.expect(200);
    let skus = async |query: &str| {
        let list = shop.support().get(&format!("/v1/inventory{query}")).send().await.expect(200);
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["sku"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(skus("").await, ["CUP", "MUG"]);
    assert_eq!(skus("?below_threshold=true").await, ["CUP"]);
}

#[tokio::test]
async fn the_stock_of_a_product_is_that_of_its_variants() {
    let shop = Shop::open().await;
    let shirt =
        json!({ "name": "Shirt", "variants": [{ "sku": "RED", "price": "1" }, { "sku": "BLUE", "price": "1" }] });
    shop.admin().put("/v1/products/shirt", &shirt).send().await.expect(200);
    shop.admin().put("/v1/inventory/BLUE", &json!({ "on_hand": 3 })).send().await.expect(200);
    let list = shop.support().get("/v1/products/shirt/inventory").send().await.expect(200);
    let levels: Vec<_> = list["items"].as_array().unwrap().iter().map(|l| (&l["sku"], &l["available"])).collect();
    assert_eq!(levels, [(&json!("RED"), &json!(0)), (&json!("BLUE"), &json!(3))]);
    shop.support().get("/v1/products/coat/inventory").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_sku_that_was_never_stocked_is_not_found() {
    let shop = Shop::open().await;
    shop.support().get("/v1/inventory/CUP").send().await.problem(404, "not_found");
}

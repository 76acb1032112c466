//! The life of an order, on each database: from a product to the units that come back.

use std::thread;

use commerce_core::actor::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::home::{Home, on_each_database};
use crate::running::{Answer, Caller, Server, order_of, succeed};

on_each_database!(a_cart_becomes_an_order_that_comes_back, the_tables_are_brought_up_to_date_once);

struct Shop {
    admin: Caller,
    ann: Caller,
}

impl Shop {
    fn of(home: &Home, server: &Server) -> Self {
        let guest = Caller::guest(server.address);
        Self {
            admin: guest.acting(home.path(), "ada", Role::Admin),
            ann: guest.acting(home.path(), "ann", Role::Customer),
        }
    }

    async fn sells_mugs(&self) {
        let mug = json!({ "name": "Mug", "currency": "USD", "variants": [{ "sku": "mug", "price": "9.99" }] });
        ask(&self.admin, Method::PUT, "/v1/products/mug", &mug, StatusCode::OK).await;
        ask(&self.admin, Method::PUT, "/v1/inventory/mug", &json!({ "on_hand": 10 }), StatusCode::OK).await;
        let terms = json!({
            "id": "ten", "code": "TEN", "max_uses": 1,
            "effect": { "type": "percent_off", "target": "order", "percent": "10" },
        });
        ask(&self.admin, Method::POST, "/v1/promos", &terms, StatusCode::CREATED).await;
    }

    /// Three mugs with ten percent off.
    async fn checks_out(&self) -> Value {
        let cart = ask(&self.ann, Method::POST, "/v1/carts", &json!({}), StatusCode::CREATED).await;
        let path = format!("/v1/carts/{}", text(&cart["id"]));
        let items = json!({ "sku": "mug", "quantity": 3 });
        ask(&self.ann, Method::POST, &format!("{path}/items"), &items, StatusCode::OK).await;
        let code = json!({ "code": "TEN" });
        let quoted = ask(&self.ann, Method::POST, &format!("{path}/promotions"), &code, StatusCode::OK).await;
        assert_eq!(quoted["quote"]["total"], "26.97", "{quoted}");
        let mut checkout = order_of("mug", 1);
        checkout["cart_id"] = cart["id"].clone();
        checkout.as_object_mut().expect("an object").remove("items");
        let send = || self.ann.send(Method::POST, "/v1/checkouts", Some("checkout"), &checkout);
        let placed = send().await.expect("an answer");
        assert_eq!(placed.status, StatusCode::CREATED, "{placed:?}");
        assert_eq!(send().await.expect("an answer"), placed, "a key has one answer");
        placed.body
    }
}

async fn ask(caller: &Caller, method: Method, path: &str, body: &Value, expected: StatusCode) -> Value {
    let key = method == Method::POST;
    let Answer { status, body, .. } = caller.send(method, path, key.then_some(path), body).await.expect("an answer");
    assert_eq!(status, expected, "{path}: {body}");
    body
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

async fn a_cart_becomes_an_order_that_comes_back(home: Home) {
    let server = Server::start(home.path(), &[]);
    let shop = Shop::of(&home, &server);
    shop.sells_mugs().await;
    let order = shop.checks_out().await;
    let path = format!("/v1/orders/{}", text(&order["id"]));

    let payment = format!("/v1/payments/{}/confirm", text(&order["payment"]["id"]));
    ask(&shop.ann, Method::POST, &payment, &json!({ "token": "tok_ok" }), StatusCode::OK).await;
    for status in ["shipped", "delivered"] {
        ask(&shop.admin, Method::PATCH, &path, &json!({ "status": status }), StatusCode::OK).await;
    }
    let units = json!({ "items": [{ "item_id": order["items"][0]["id"], "quantity": 3 }], "reason": "too blue" });
    let request = ask(&shop.ann, Method::POST, &format!("{path}/returns"), &units, StatusCode::CREATED).await;
    for step in ["approve", "receive"] {
        let path = format!("/v1/returns/{}/{step}", text(&request["id"]));
        ask(&shop.admin, Method::POST, &path, &json!({}), StatusCode::OK).await;
    }

    assert_eq!(shop.ann.get(&path).await.body["status"], "returned");
    let events = shop.ann.get(&format!("{path}/events")).await.body;
    assert_eq!(events["items"][0]["event_type"], "order.created", "{events}");
    assert_eq!(shop.admin.get("/v1/inventory/mug").await.body["available"], 10);
    refusals_and_lists(&shop).await;
    assert_eq!(server.stop().code, Some(0));
    assert!(succeed(home.path(), &["replay", "--verify"]).contains("the tables agree with the events"));
}

async fn refusals_and_lists(shop: &Shop) {
    let too_many = shop.ann.order("too many", &order_of("mug", 11)).await.expect("an answer");
    assert_eq!((too_many.status, &too_many.body["code"]), (StatusCode::CONFLICT, &json!("out_of_stock")));
    let none = shop.ann.get("/v1/orders/01890a5d-ac96-774b-bcce-b302099a8057").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    for number in 0..3 {
        let placed = shop.ann.order(&number.to_string(), &order_of("mug", 1)).await.expect("an answer");
        assert_eq!(placed.status, StatusCode::CREATED, "{placed:?}");
    }
    let first = shop.ann.get("/v1/orders?limit=3").await.body;
    let rest = shop.ann.get(&format!("/v1/orders?limit=3&cursor={}", text(&first["next_cursor"]))).await.body;
    let count = |page: &Value| page["items"].as_array().map(Vec::len);
    assert_eq!((count(&first), count(&rest), &rest["next_cursor"]), (Some(3), Some(1), &Value::Null));
    let pending = shop.admin.get("/v1/orders?status=pending&user_id=ann").await.body;
    assert_eq!(count(&pending), Some(3), "{pending}");
    let found = shop.ann.get("/v1/products?q=MUG").await.body;
    assert_eq!(found["items"][0]["id"], "mug", "a search knows no case: {found}");
}

async fn the_tables_are_brought_up_to_date_once(home: Home) {
    let path = home.path();
    let at_once = thread::scope(|scope| {
        let started: Vec<_> = (0..4).map(|_| scope.spawn(|| succeed(path, &["migrate"]))).collect();
        started.into_iter().map(|one| one.join().expect("no panic")).collect::<Vec<_>>()
    });
    for told in at_once.into_iter().chain([succeed(path, &["migrate"])]) {
        assert!(told.ends_with(" is up to date\n"), "{told}");
        assert!(told.starts_with("sqlite:") || told.contains("://commerce:***@127.0.0.1:"), "{told}");
    }
    home.sql("SELECT count(*) FROM orders");
}

use commerce_core::actor::Role;

use crate::home::{Home, on_each_database};
use crate::running::{Caller, Server, directory, fail, order_of, succeed};

on_each_database!(a_task_is_listed_and_mended_beside_a_running_shop);

#[test]
fn a_task_that_does_not_exist_is_named_as_such() {
    let directory = directory();
    succeed(directory.path(), &["migrate"]);
    assert_eq!(succeed(directory.path(), &["tasks", "list"]).trim(), "no tasks");
    for command in ["show", "retry", "drop"] {
        fail(directory.path(), &["tasks", command, "settle_payment", "none"], 1, "task not found");
    }
    fail(directory.path(), &["tasks", "list", "--state", "lost"], 2, "lost");
}

async fn a_task_is_listed_and_mended_beside_a_running_shop(home: Home) {
    home.stock(&[("mug", 5)]);
    let server = Server::start(home.path(), &[]);
    let ann = Caller::guest(server.address).acting(home.path(), "ann", Role::Customer);
    let order = ann.order("order-1", &order_of("mug", 1)).await.expect("an answer");
    let id = order.body["id"].as_str().expect("an id");
    let listed = succeed(home.path(), &["tasks", "list", "--state", "scheduled"]);
    assert!(listed.contains(&format!("expire_order {id}  scheduled")), "{listed}");
    assert!(succeed(home.path(), &["tasks", "show", "expire_order", id]).contains("failures 0"));
    assert!(succeed(home.path(), &["tasks", "drop", "expire_order", id]).contains("was dropped"));
    assert_eq!(succeed(home.path(), &["tasks", "list"]).trim(), "no tasks");
    assert_eq!(server.stop().code, Some(0));
}

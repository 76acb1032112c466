//! A cluster of `MariaDB`.

use test_servers::{Galera, required};

use crate::within;

#[test]
fn what_one_node_commits_all_nodes_have() {
    let cluster = required(Galera::start(3));
    let [first, .., last] = cluster.nodes() else { panic!("it has three nodes") };
    first.create_database("shop").unwrap();
    first.sql("shop", "CREATE TABLE things (name VARCHAR(9) PRIMARY KEY); INSERT INTO things VALUES ('mug')").unwrap();
    within(10, "the last node has it", || {
        last.sql("shop", "SELECT name FROM things").is_ok_and(|names| names == "mug\n")
    });
    last.sql("shop", "INSERT INTO things VALUES ('cup')").unwrap();
    within(10, "the first node has it", || {
        first.sql("shop", "SELECT count(*) FROM things").is_ok_and(|count| count == "2\n")
    });
}

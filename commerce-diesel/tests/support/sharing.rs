//! Several processes on one database: two stores, each with connections of its own, stand for two of them.

#[path = "sharing/bait.rs"]
pub(crate) mod bait;
#[path = "sharing/feed.rs"]
pub(crate) mod feed;
#[path = "sharing/hot.rs"]
pub(crate) mod hot;
#[path = "sharing/locks.rs"]
pub(crate) mod locks;
#[path = "sharing/memory.rs"]
pub(crate) mod memory;
#[path = "sharing/money.rs"]
pub(crate) mod money;
#[path = "sharing/once.rs"]
pub(crate) mod once;
#[path = "sharing/poison.rs"]
pub(crate) mod poison;
#[path = "sharing/prices.rs"]
pub(crate) mod prices;
#[path = "sharing/process.rs"]
pub(crate) mod process;

/// Makes a test of each case on a database.
macro_rules! sharing_tests {
    ($database:ident; $($subject:ident: $($case:ident)+;)+) => {$(
        mod $subject {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    crate::sharing::$subject::$case::<crate::$database>().await;
                }
            )+
        }
    )+};
    ($database:ident) => {
        crate::sharing::sharing_tests! { $database;
            hot: what_is_there_is_sold_once;
            memory:
                what_another_took_away_is_not_sold
                what_another_brought_can_be_sold
                a_threshold_that_another_set_is_told_of
                a_reservation_that_another_made_expires
                a_promotion_that_another_changed_is_read_again;
            money: of_many_refunds_at_once_one_is_paid a_webhook_and_a_confirmation_at_once_are_one_capture;
            once:
                one_key_is_one_order
                one_number_is_one_order
                a_last_use_is_given_once
                limited_uses_are_given_to_as_many_as_there_are
                a_new_sku_is_stocked_by_both
                an_order_is_moved_by_one;
            bait: nobody_stands_in_the_way_for_ever;
            feed: whoever_reads_behind_the_last_event_misses_nothing;
            locks: a_long_read_holds_up_no_commit a_writer_holds_up_no_read;
            poison: a_row_that_is_refused_harms_nobody_else;
            prices: a_price_was_true_while_it_was_asked_for;
        }

        mod process {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn processes_sell_what_is_there() {
                crate::sharing::process::processes_sell_what_is_there::<crate::$database>("process::only_buy").await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn only_buy() {
                crate::sharing::process::only_buy::<crate::$database>().await;
            }
        }
    };
}

pub(crate) use sharing_tests;

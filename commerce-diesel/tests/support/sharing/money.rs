//! Payments that two processes serve.

use crate::database::Database;
use crate::payments;

pub(crate) async fn of_many_refunds_at_once_one_is_paid<D: Database>() {
    payments::of_many_refunds_at_once_one_is_paid(two::<D>().await).await;
}

pub(crate) async fn a_webhook_and_a_confirmation_at_once_are_one_capture<D: Database>() {
    payments::a_webhook_and_a_confirmation_at_once_are_one_capture(two::<D>().await).await;
}

async fn two<D: Database>() -> [D::Store; 2] {
    let database = D::create();
    [database.open().await, database.open().await]
}

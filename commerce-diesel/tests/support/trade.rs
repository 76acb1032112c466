//! A shop in which a bit of everything has happened.

use commerce_core::actor::Role;
use commerce_core::commit::Commit;
use commerce_core::order::{Command, Order, ShipmentStatus};
use commerce_core::port::Store;
use commerce_core::promotion::{Promotion, PromotionRecord};
use commerce_core::stock::StockAction;
use commerce_testkit::commit_builder::{CURRENCY, RESERVATION_SECONDS, order_of, parse};
use commerce_testkit::{CommitBuilder, quote};

/// When everything has been committed.
pub(crate) const LATER: i64 = 2 * RESERVATION_SECONDS;

/// A builder of commits, and the store they go to.
#[derive(Clone, Copy)]
pub(crate) struct Trade<'a> {
    pub(crate) shop: &'a CommitBuilder,
    pub(crate) store: &'a dyn Store,
}

impl Trade<'_> {
    /// Documents, and five orders: reserved, cancelled, sold and returned, waiting, paid late.
    pub(crate) async fn everything(self) {
        let shop = self.shop;
        self.accept(shop.stocked(&[("MUG", 20), ("TEA", 9), ("POT", 3), ("CUP", 5)])).await;
        self.accept(shop.create(&shop.product("mugs", &["MUG"]))).await;
        self.accept(shop.create(&shop.cart(parse("bob"), shop.at(1)))).await;
        self.accept(self.promotion()).await;
        let threshold = StockAction::Set { on_hand: 15, reorder_threshold: Some(12), expected: None };
        self.accept(shop.moves("MUG", threshold, shop.at(0))).await;
        self.discounted("ann", &[("MUG", 2), ("TEA", 1)]).await;
        let cancelled = self.discounted("bob", &[("MUG", 1)]).await;
        self.accept(shop.cancel(&cancelled, shop.at(2))).await;
        self.placed(&[("POT", 3)]).await;
        self.sell_and_take_back().await;
        let lost = StockAction::Adjust { delta: -2, reason: parse("broken"), expected: None };
        self.accept(shop.moves("MUG", lost, shop.at(9))).await;
        let late = self.placed(&[("TEA", 2)]).await;
        self.accept(shop.pay(&late, shop.at(RESERVATION_SECONDS + 60))).await;
        self.accept(shop.create(&shop.category("crockery", "Crockery", None))).await;
        assert!(self.store.commit(shop.order(&[("CUP", 6)])).await.is_err());
    }

    async fn sell_and_take_back(self) {
        let shop = self.shop;
        let mut order = self.discounted("ann", &[("MUG", 2), ("TEA", 2)]).await;
        order = self.accept(shop.pay(&order, shop.at(2))).await;
        order = self.accept(shop.ship(&order, ShipmentStatus::Shipped, shop.at(3))).await;
        order = self.accept(shop.ship(&order, ShipmentStatus::Delivered, shop.at(4))).await;
        order = self.accept(shop.request_return(&order, 1, shop.at(5))).await;
        let id = order.returns[0].id;
        for command in [Command::ApproveReturn(id), Command::ReceiveReturn(id)] {
            let commit = shop.decide(&order, Role::Admin, command, shop.at(6)).unwrap();
            order = self.accept(commit).await;
        }
        let returned = Command::Transition { status: parse("returned"), reason: None };
        self.accept(shop.decide(&order, Role::Admin, returned, shop.at(7)).unwrap()).await;
    }

    fn promotion(self) -> Commit {
        let promotion = Promotion::new(CURRENCY, quote::percent_off("spring", 1234)).unwrap();
        let mut commit = self.shop.commit(self.shop.at(1));
        let record = PromotionRecord::new(promotion, self.shop.at(1));
        commit.change(None, record);
        commit
    }

    /// An order that uses a promotion.
    pub(crate) async fn discounted(self, user: &str, lines: &[(&str, i64)]) -> Order {
        let at = self.shop.at(1);
        let mut new_order = self.shop.new_order(lines, at);
        new_order.quote = quote::rich(new_order.quote.items());
        new_order.user_id = parse(user);
        self.accept(self.shop.place(new_order, at)).await
    }

    /// An order without a promotion.
    pub(crate) async fn placed(self, lines: &[(&str, i64)]) -> Order {
        self.accept(self.shop.order(lines)).await
    }

    /// Commits, and gives the order of the commit, or any if it has none.
    pub(crate) async fn accept(self, commit: Commit) -> Order {
        let order = commit.orders.first().map(|change| change.order().clone());
        self.store.commit(commit).await.unwrap();
        order.unwrap_or_else(|| order_of(&self.shop.order(&[("MUG", 1)])).clone())
    }
}

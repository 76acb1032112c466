//! What an observer is told of a commit.

use alloc::vec::Vec;

use super::{Commit, OrderChange};
use crate::cart::CartStatus;
use crate::document::{Document, DocumentChange};
use crate::event::Recorded;
use crate::order::{Order, OrderEvent, StockEffect};
use crate::port::{CartStep, InventoryUpdate, News, PromotionUse, StockMovement};
use crate::promotion::RedemptionMove;
use crate::saga::Compensation;
use crate::stock::{StockAction, StockMove};

impl Commit {
    /// What was noted with the decision, and what follows from the changes.
    pub(crate) fn all_news(&self) -> Vec<News> {
        let noted = self.news.iter().copied();
        let orders = self.orders.iter().flat_map(of_order);
        let stock = self.stock.iter().flat_map(of_stock);
        let promotions = self.redemptions.iter().map(of_redemption);
        noted.chain(self.documents.iter().filter_map(of_cart)).chain(orders).chain(stock).chain(promotions).collect()
    }
}

fn of_cart(change: &DocumentChange) -> Option<News> {
    let Document::Cart(cart) = change.document() else { return None };
    match cart.status {
        CartStatus::Active => (change.expected() == 0).then_some(News::Cart(CartStep::Opened)),
        CartStatus::CheckedOut => Some(News::Cart(CartStep::Converted)),
        CartStatus::Expired => Some(News::Cart(CartStep::Abandoned)),
    }
}

fn of_order(change: &OrderChange) -> impl Iterator<Item = News> {
    change.events().iter().flat_map(|entry| [phase(change.order(), entry), compensation(&entry.event)]).flatten()
}

fn phase(order: &Order, entry: &Recorded<OrderEvent>) -> Option<News> {
    let OrderEvent::Transitioned { phase, .. } = entry.event else { return None };
    Some(News::Order { phase, after: entry.at.signed_duration_since(order.created_at) })
}

fn compensation(event: &OrderEvent) -> Option<News> {
    let done = match event {
        OrderEvent::Transitioned { stock: StockEffect::Release, .. } => Compensation::Release,
        OrderEvent::Transitioned { stock: StockEffect::Restock, .. } | OrderEvent::ReturnReceived { .. } => {
            Compensation::Restock
        }
        OrderEvent::RefundRequested { .. } => Compensation::Refund,
        OrderEvent::PaymentVoided { .. } => Compensation::Void,
        OrderEvent::Created { .. }
        | OrderEvent::Transitioned { .. }
        | OrderEvent::PaymentAuthorized { .. }
        | OrderEvent::ReservationExtended { .. }
        | OrderEvent::PaymentCaptured { .. }
        | OrderEvent::CaptureFailed { .. }
        | OrderEvent::HoldExpiring { .. }
        | OrderEvent::PaymentFailed { .. }
        | OrderEvent::RefundProcessed { .. }
        | OrderEvent::RefundFailed { .. }
        | OrderEvent::ShipmentUpdated { .. }
        | OrderEvent::ReturnRequested { .. }
        | OrderEvent::ReturnApproved { .. }
        | OrderEvent::ReturnRejected { .. } => return None,
    };
    Some(News::Compensation(done))
}

fn of_stock(change: &StockMove) -> impl Iterator<Item = News> {
    let told = match change.action {
        StockAction::Set { .. } => Some(InventoryUpdate::Set),
        StockAction::Adjust { .. } => Some(InventoryUpdate::Adjusted),
        StockAction::Reserve { .. }
        | StockAction::Extend { .. }
        | StockAction::Confirm { .. }
        | StockAction::Release { .. }
        | StockAction::Fulfil { .. }
        | StockAction::Restock { .. } => None,
    };
    units(&change.action).into_iter().chain(told.map(News::Inventory))
}

/// Units whose number follows from the move alone.
fn units(action: &StockAction) -> Option<News> {
    let (movement, units) = match *action {
        StockAction::Reserve { units, .. } => (StockMovement::Reserved, units),
        StockAction::Fulfil { units, .. } => (StockMovement::Shipped, units),
        StockAction::Restock { units } => (StockMovement::Restocked, units),
        StockAction::Adjust { delta, .. } if delta > 0 => (StockMovement::Received, delta),
        StockAction::Adjust { delta, .. } => (StockMovement::Removed, delta),
        StockAction::Extend { .. }
        | StockAction::Confirm { .. }
        | StockAction::Release { .. }
        | StockAction::Set { .. } => return None,
    };
    Some(News::Units { movement, units: units.unsigned_abs() })
}

const fn of_redemption(change: &RedemptionMove) -> News {
    News::Promotion(match change {
        RedemptionMove::Redeem(..) => PromotionUse::Redeemed,
        RedemptionMove::Release(_) => PromotionUse::Released,
    })
}

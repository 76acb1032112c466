//! Pricing in another program, without a server, a store or a runtime.
//!
//! A booking service for boats has its own types and offers. It converts them into a pricing request, and shows its customer
//! why an offer did not apply.
//!
//! ```sh
//! cargo run -p examples --example embed_pricing
//! ```

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

use std::error::Error;

use chrono::{DateTime, Utc};
use commerce_core::Quantity;
use commerce_core::money::{Currency, Money};
use commerce_core::pricing::{CodeMatching, Line, Outcome, Request, price};
use commerce_core::promotion::{Condition, Effect, Percent, Promotion, PromotionDefinition, Target};

/// A booking in the types of the service.
struct Booking {
    boat: &'static str,
    days: u16,
    pence_per_day: i64,
}

/// An offer in the types of the service: a percentage off from a minimum amount.
struct Offer {
    name: &'static str,
    voucher: Option<&'static str>,
    percent: u8,
    from_pence: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let bookings = [
        Booking { boat: "dinghy", days: 3, pence_per_day: 4_500 },
        Booking { boat: "canoe", days: 1, pence_per_day: 2_999 },
    ];
    let offers = [
        Offer { name: "early bird", voucher: None, percent: 5, from_pence: 0 },
        Offer { name: "regatta", voucher: Some("REGATTA"), percent: 20, from_pence: 20_000 },
    ];
    let request = request(&bookings, &offers, "regatta", "2026-05-01T09:00:00Z".parse()?)?;
    let quote = price(&request)?;

    for (booking, line) in bookings.iter().zip(&quote.lines) {
        println!("{} for {} days: {}", booking.boat, booking.days, line.total);
    }
    println!("to pay: {}", quote.total);
    for explained in &quote.explanation {
        let verdict = if matches!(explained.outcome, Outcome::Applied { .. }) { "applied" } else { "did not apply" };
        println!("{} {verdict}: {}", explained.promotion_id, explained.outcome);
    }
    Ok(())
}

fn request(
    bookings: &[Booking],
    offers: &[Offer],
    voucher: &str,
    at: DateTime<Utc>,
) -> Result<Request, Box<dyn Error>> {
    let lines = bookings.iter().map(line).collect::<Result<_, _>>()?;
    let promotions = offers.iter().map(promotion).collect::<Result<_, _>>()?;
    let code_matching = CodeMatching::IgnoreCase;
    Ok(Request { codes: vec![voucher.to_owned()], code_matching, promotions, ..Request::new(Currency::GBP, at, lines) })
}

fn line(booking: &Booking) -> Result<Line, Box<dyn Error>> {
    Ok(Line {
        id: booking.boat.parse()?,
        sku: booking.boat.parse()?,
        quantity: Quantity::new(booking.days.into())?,
        unit_price: Money::new(booking.pence_per_day, Currency::GBP),
        categories: Vec::new(),
        tax_category: None,
    })
}

fn promotion(offer: &Offer) -> Result<Promotion, Box<dyn Error>> {
    let percent = Percent::new(offer.percent.into())?;
    let from = Money::new(offer.from_pence, Currency::GBP);
    let effect = Effect::PercentOff { percent, target: Target::Order, max_amount: None };
    let definition = PromotionDefinition {
        code: offer.voucher.map(str::to_owned),
        conditions: vec![Condition::MinSpend { amount: from, filter: None }],
        ..PromotionDefinition::new(offer.name.parse()?, effect)
    };
    Ok(Promotion::new(Currency::GBP, definition)?)
}

//! Sends invoices through the API, oldest first.

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::Quantity;
use commerce_core::cart::MAX_LINES;
use commerce_core::ids::{Sku, UserId};
use commerce_core::money::{Amount, Money};
use http::Method;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::client::{CallError, Client};
use crate::invoices::{Book, CURRENCY, Invoice, Line};
use crate::report::{Report, Unmatched};
use crate::sales::{Back, Sales};

type Failure = Box<dyn std::error::Error>;

/// A running replay.
pub(crate) struct Replay<'a> {
    client: &'a Client,
    /// Part of the idempotency keys, so that a second replay on the same server has others.
    run: String,
    sales: Sales,
    orders: Vec<String>,
    report: Report,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(client: &'a Client, run: String) -> Self {
        Self { client, run, sales: Sales::default(), orders: Vec::new(), report: Report::new() }
    }

    /// Creates a product for every stock code, with as many units as are sold.
    ///
    /// # Errors
    /// The server refuses one.
    pub(crate) async fn stock_up(&self, book: &Book, progress: &ProgressBar) -> Result<(), Failure> {
        let products = products(book);
        progress.set_length(products.len().try_into()?);
        progress.set_message("products");
        for (code, (line, units)) in products {
            let id = encode(code.as_str());
            let name = if line.description.is_empty() { code.as_str() } else { &line.description };
            let variant = json!({ "sku": code, "price": Amount::from(line.price) });
            let product = json!({ "name": name, "variants": [variant] });
            self.client.call(Method::PUT, &format!("/products/{id}"), "", &product).await?;
            let stock = json!({ "on_hand": units });
            self.client.call(Method::PUT, &format!("/inventory/{id}"), "", &stock).await?;
            progress.inc(1);
        }
        Ok(())
    }

    /// Sends all invoices.
    ///
    /// # Errors
    /// The server refuses one.
    pub(crate) async fn run(&mut self, book: &Book, progress: &ProgressBar) -> Result<(), Failure> {
        progress.set_length(book.invoices.len().try_into()?);
        progress.set_position(0);
        progress.set_message("invoices");
        let start = std::time::Instant::now();
        for invoice in &book.invoices {
            if invoice.is_cancellation {
                self.send_back(invoice).await?;
            } else {
                self.sell(invoice).await?;
            }
            progress.inc(1);
        }
        self.report.took = start.elapsed();
        Ok(())
    }

    /// Adds up the amounts of the orders, and returns the report.
    ///
    /// # Errors
    /// An order cannot be read.
    pub(crate) async fn finish(mut self, book: &Book, progress: &ProgressBar) -> Result<Report, Failure> {
        progress.set_length(self.orders.len().try_into()?);
        progress.set_position(0);
        progress.set_message("check");
        for id in &self.orders {
            let order = self.settled(id).await?;
            self.report.count_order(&order)?;
            progress.inc(1);
        }
        self.report.refused.extend(book.refused.iter().map(|row| (row.row, row.invoice.clone(), row.reason.clone())));
        Ok(self.report)
    }

    /// Splits an invoice with more lines than an order may have into several orders.
    async fn sell(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        for (part, lines) in invoice.lines.chunks(MAX_LINES).enumerate() {
            let (order, took) = self.place(invoice, part, lines).await?;
            self.report.count_sale(lines, took)?;
            self.deliver(&order).await?;
            let id = text(&order, "id")?;
            for (line, item) in lines.iter().zip(order["items"].as_array().into_iter().flatten()) {
                self.sales.add(&invoice.customer, line, id, text(item, "id")?);
            }
            self.orders.push(id.to_owned());
        }
        self.report.sales += 1;
        Ok(())
    }

    async fn place(&self, invoice: &Invoice, part: usize, lines: &[Line]) -> Result<(Value, Duration), CallError> {
        let items: Vec<_> = lines
            .iter()
            .map(|line| json!({ "sku": line.code, "quantity": line.units, "unit_price": Amount::from(line.price) }))
            .collect();
        let order = json!({
            "user_id": invoice.customer,
            "items": items,
            "shipping_method": "standard",
            "shipping_address": address(&invoice.customer),
            "notes": format!("invoice {}", invoice.number),
        });
        let key = format!("{}-{}-{part}", self.run, invoice.number);
        self.client.call(Method::POST, "/orders", &key, &order).await
    }

    /// Pays, ships and delivers. A free order is paid already.
    async fn deliver(&self, order: &Value) -> Result<(), Failure> {
        let path = format!("/orders/{}", text(order, "id")?);
        if order["status"] == "pending" {
            self.client.call(Method::PATCH, &path, "", &json!({ "status": "paid" })).await?;
        }
        for status in ["shipped", "delivered"] {
            let parcel = json!({ "provider": "Royal Mail", "method": "standard", "status": status });
            self.client.call(Method::PUT, &format!("{path}/shipping"), "", &parcel).await?;
        }
        Ok(())
    }

    async fn send_back(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        let mut by_order: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for line in &invoice.lines {
            let (matched, unmatched) = self.sales.take(&invoice.customer, line);
            let units: i64 = matched.iter().map(|back| back.units).sum();
            self.report.count_return(line, units)?;
            if unmatched > 0 {
                let row = (line.row, invoice.number.clone());
                self.report.unmatched.push(Unmatched { row, code: line.code.clone(), units: unmatched });
            }
            for Back { order, item, units } in matched {
                *by_order.entry(order).or_default().entry(item).or_default() += units;
            }
        }
        for (order, items) in by_order {
            self.return_items(&order, &items, &invoice.number).await?;
            self.report.returns += 1;
        }
        self.report.cancellations += 1;
        Ok(())
    }

    async fn return_items(&self, order: &str, items: &BTreeMap<String, i64>, number: &str) -> Result<(), Failure> {
        let lines: Vec<_> = items.iter().map(|(item, units)| json!({ "item_id": item, "quantity": units })).collect();
        let request = json!({ "lines": lines, "reason": format!("cancellation {number}") });
        let key = format!("{}-{number}-{order}", self.run);
        let (made, _) = self.client.call(Method::POST, &format!("/orders/{order}/returns"), &key, &request).await?;
        let path = format!("/returns/{}", text(&made, "id")?);
        for step in ["approve", "receive"] {
            self.client.call(Method::POST, &format!("{path}/{step}"), &format!("{key}-{step}"), &Value::Null).await?;
        }
        Ok(())
    }

    /// Notes that refunds of money that the processor did not receive are paid, and waits until all refunds are.
    async fn settled(&self, id: &str) -> Result<Value, Failure> {
        for _ in 0..200 {
            let order = self.client.get(&format!("/orders/{id}")).await?;
            let payment = self.client.get(&format!("/payments/{}", text(&order["payment"], "id")?)).await?;
            let refunds = || payment["refunds"].as_array().into_iter().flatten();
            for refund in refunds().filter(|refund| refund["elsewhere"] == true && refund["status"] == "requested") {
                let path = format!("/payments/{}/refunds/{}/paid", text(&payment, "id")?, text(refund, "id")?);
                self.client.call(Method::POST, &path, &path, &Value::Null).await?;
            }
            if refunds().all(|refund| refund["status"] == "processed")
                && payment["refunded"] == order["payment"]["refunded"]
            {
                return Ok(order);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("the refunds of order {id} were not paid within 20 seconds").into())
    }
}

/// All stock codes with their first line and the number of sold units.
fn products(book: &Book) -> BTreeMap<&Sku, (&Line, i64)> {
    let mut products = BTreeMap::new();
    for line in book.invoices.iter().filter(|invoice| !invoice.is_cancellation).flat_map(|invoice| &invoice.lines) {
        products.entry(&line.code).or_insert((line, 0)).1 += Quantity::get(line.units);
    }
    products
}

fn address(customer: &UserId) -> Value {
    json!({
        "name": format!("Customer {customer}"),
        "line1": "1 High Street",
        "city": "London",
        "postal_code": "E1 6AN",
        "country": "GB",
    })
}

fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str, Failure> {
    value[field].as_str().ok_or_else(|| format!("the server's answer has no {field}").into())
}

/// Percent-encodes a part of a path.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Zero in the currency of the file.
pub(crate) fn nothing() -> Money {
    Money::zero(CURRENCY)
}

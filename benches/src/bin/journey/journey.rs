//! What a customer does, request by request.

use std::time::{Duration, Instant};

use benches::numbers::micros;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Call, Connection};
use crate::token::bearer;

/// The lines of a cart.
pub(crate) const LINES: usize = 3;

/// The code of the shop.
pub(crate) const CODE: &str = "TEN";

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Open,
    Add,
    Code,
    CheckOut,
    Pay,
    Product,
    Order,
}

impl Kind {
    /// A journey.
    pub(crate) const JOURNEY: [Self; 5] = [Self::Open, Self::Add, Self::Code, Self::CheckOut, Self::Pay];
    /// What may follow.
    pub(crate) const READS: [Self; 2] = [Self::Product, Self::Order];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Add => "add",
            Self::Code => "code",
            Self::CheckOut => "checkout",
            Self::Pay => "pay",
            Self::Product => "get product",
            Self::Order => "get order",
        }
    }

    /// How often a journey has it.
    pub(crate) const fn times(self) -> usize {
        match self {
            Self::Add => LINES,
            Self::Open | Self::Code | Self::CheckOut | Self::Pay | Self::Product | Self::Order => 1,
        }
    }
}

/// A customer of the shop, and where the present journey is.
#[derive(Debug)]
pub(crate) struct Customer {
    token: String,
    /// Different customers begin at different products.
    number: usize,
    products: usize,
    journeys: usize,
    cart: String,
    payment: String,
    order: String,
}

impl Customer {
    pub(crate) fn new(name: &str, number: usize, products: usize) -> Self {
        let [cart, payment, order] = [const { String::new() }; 3];
        Self { token: bearer(name, "customer"), number, products, journeys: 0, cart, payment, order }
    }

    /// The product of a line.
    fn sku(&self, line: usize) -> String {
        sku((7_919 * self.number + LINES * self.journeys + line) % self.products)
    }
}

pub(crate) fn sku(number: usize) -> String {
    format!("SKU-{number:06}")
}

/// A time that was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The kind of request, or a whole journey.
    pub(crate) kind: Option<Kind>,
    /// The time of the answer.
    pub(crate) at: Instant,
    /// In microseconds.
    pub(crate) latency: u64,
}

impl Sample {
    fn since(start: Instant, kind: Option<Kind>) -> Self {
        let at = Instant::now();
        Self { kind, at, latency: micros(at - start) }
    }
}

/// A client: one connection, and the times of its requests.
pub(crate) struct Client {
    connection: Connection,
    pub(crate) samples: Vec<Sample>,
}

impl Client {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, samples: Vec::new() }
    }

    /// Journeys of a customer, one after the other. The last one begins before the end.
    pub(crate) async fn journeys(
        &mut self,
        customer: &mut Customer,
        kinds: &[Kind],
        end: Instant,
    ) -> Result<(), Failure> {
        while Instant::now() < end {
            let start = Instant::now();
            for kind in kinds {
                self.step(*kind, customer).await?;
            }
            self.samples.push(Sample::since(start, None));
            customer.journeys += 1;
        }
        Ok(())
    }

    /// All requests of a kind in a journey.
    pub(crate) async fn step(&mut self, kind: Kind, customer: &mut Customer) -> Result<(), Failure> {
        match kind {
            Kind::Open => self.open(customer).await,
            Kind::Add => self.add(customer).await,
            Kind::Code => self.code(customer).await,
            Kind::CheckOut => self.check_out(customer).await,
            Kind::Pay => {
                let path = format!("/v1/payments/{}/confirm", customer.payment);
                self.post(kind, customer, (&path, ""), &json!({ "token": "tok_ok" })).await.map(drop)
            }
            Kind::Product => self.get(kind, customer, &format!("/v1/products/{}", customer.sku(0))).await,
            Kind::Order => self.get(kind, customer, &format!("/v1/orders/{}", customer.order)).await,
        }
    }

    async fn open(&mut self, customer: &mut Customer) -> Result<(), Failure> {
        let cart = self.post(Kind::Open, customer, ("/v1/carts", ""), &json!({})).await?;
        customer.cart = text(&serde_json::from_slice::<Value>(&cart)?["id"])?;
        Ok(())
    }

    async fn add(&mut self, customer: &Customer) -> Result<(), Failure> {
        let path = format!("/v1/carts/{}/items", customer.cart);
        for line in 0..LINES {
            let item = json!({ "sku": customer.sku(line), "quantity": 1 });
            self.post(Kind::Add, customer, (&path, &line.to_string()), &item).await?;
        }
        Ok(())
    }

    async fn code(&mut self, customer: &Customer) -> Result<(), Failure> {
        let path = format!("/v1/carts/{}/promotions", customer.cart);
        let given = self.post(Kind::Code, customer, (&path, ""), &json!({ "code": CODE })).await?;
        let given: Value = serde_json::from_slice(&given)?;
        if given["valid"] == true { Ok(()) } else { Err(format!("the code does not hold: {given}").into()) }
    }

    async fn check_out(&mut self, customer: &mut Customer) -> Result<(), Failure> {
        let request = json!({
            "cart_id": customer.cart, "shipping_method": "standard", "shipping_address": address(),
        });
        let order = self.post(Kind::CheckOut, customer, ("/v1/checkouts", ""), &request).await?;
        let order: Value = serde_json::from_slice(&order)?;
        (customer.order, customer.payment) = (text(&order["id"])?, text(&order["payment"]["id"])?);
        Ok(())
    }

    /// Sends a request with a body. The path comes with what tells the requests of a kind apart.
    async fn post(
        &mut self,
        kind: Kind,
        customer: &Customer,
        (path, which): (&str, &str),
        body: &Value,
    ) -> Result<Bytes, Failure> {
        let key = format!("{}-{}-{}{which}", customer.number, customer.journeys, kind.name());
        let call = Call { token: &customer.token, path, body: Some(body.to_string()), key: Some(key) };
        let expected = match kind {
            Kind::Open | Kind::CheckOut => StatusCode::CREATED,
            Kind::Add | Kind::Code | Kind::Pay | Kind::Product | Kind::Order => StatusCode::OK,
        };
        self.timed(kind, call, expected).await
    }

    async fn get(&mut self, kind: Kind, customer: &Customer, path: &str) -> Result<(), Failure> {
        let call = Call { token: &customer.token, path, body: None, key: None };
        self.timed(kind, call, StatusCode::OK).await.map(drop)
    }

    async fn timed(&mut self, kind: Kind, call: Call<'_>, expected: StatusCode) -> Result<Bytes, Failure> {
        let start = Instant::now();
        let body = self.connection.call(call, expected).await?;
        self.samples.push(Sample::since(start, Some(kind)));
        Ok(body)
    }

    /// An order of three lines without a cart.
    pub(crate) async fn order(&mut self, customer: &mut Customer) -> Result<(), Failure> {
        let items = [0, 1, 2].map(|line| json!({ "sku": customer.sku(line), "quantity": 1 }));
        let body = json!({ "items": items, "shipping_method": "standard", "shipping_address": address() });
        self.post(Kind::CheckOut, customer, ("/v1/orders", ""), &body).await?;
        customer.journeys += 1;
        Ok(())
    }
}

fn address() -> Value {
    json!({ "name": "Ann", "line1": "1 High Street", "city": "London", "postal_code": "E1 6AN", "country": "GB" })
}

fn text(value: &Value) -> Result<String, Failure> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("this is no text: {value}").into())
}

/// The time until a moment.
pub(crate) fn until(moment: Instant) -> Duration {
    moment.saturating_duration_since(Instant::now())
}

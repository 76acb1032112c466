// The journey with a client of openapi-typescript and openapi-fetch: from a product to a paid order.
import { strict as assert } from "node:assert";
import createClient from "openapi-fetch";
import type { components, paths } from "../generated/schema.js";
import { address, key, taken, tokens, url } from "./shop.js";

const client = (token: string) =>
  createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${token}` } });
const admin = client(tokens.admin);
const customer = client(tokens.customer);

const sku = "fetch-cup";
const cup: components["schemas"]["NewProduct"] = {
  id: sku,
  name: "Cup",
  variants: [{ sku, price: "8.00" }],
};
taken(await admin.POST("/v1/products", { params: { header: key() }, body: cup }));
taken(await admin.PUT("/v1/inventory/{sku}", { params: { path: { sku } }, body: { on_hand: 10 } }));
const offer: components["schemas"]["NewPromotion"] = {
  code: "FETCH25",
  effect: { type: "percent_off", target: "order", percent: "25" },
};
taken(await admin.POST("/v1/promos", { params: { header: key() }, body: offer }));

const { id } = taken(await customer.POST("/v1/carts", { params: { header: key() }, body: {} }));
const cart = { path: { id }, header: key() };
taken(await customer.POST("/v1/carts/{id}/items", { params: cart, body: { sku, quantity: 2 } }));
const check = taken(
  await customer.POST("/v1/carts/{id}/promotions", { params: cart, body: { code: "FETCH25" } }),
);
assert(check.valid);
assert.equal(check.quote.total, "12.00");
const order = taken(
  await customer.POST("/v1/checkouts", {
    params: { header: key() },
    body: { cart_id: id, shipping_address: address, expected_total: check.quote.total },
  }),
);
const payment = taken(
  await customer.POST("/v1/payments/{id}/confirm", {
    params: { path: { id: order.payment.id }, header: key() },
    body: { token: "tok_ok" },
  }),
);
assert.equal(payment.status, "succeeded");
const read = taken(await customer.GET("/v1/orders/{id}", { params: { path: { id: order.id } } }));
assert.deepEqual([read.status, read.total, read.items[0]?.sku], ["paid", "12.00", sku]);

const refused = await customer.POST("/v1/products", { params: { header: key() }, body: cup });
assert.equal(refused.response.status, 403);
assert.equal(refused.error?.code, "forbidden");
console.log(`openapi-fetch: order ${read.number} is ${read.status}`);

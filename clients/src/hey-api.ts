// The journey with a client of @hey-api/openapi-ts: from a product to a paid order.
import { strict as assert } from "node:assert";
import { createClient } from "../generated/hey/client/index.js";
import * as shop from "../generated/hey/index.js";
import { address, key, taken, tokens, url } from "./shop.js";

const admin = createClient({ baseUrl: url, auth: tokens.admin });
const customer = createClient({ baseUrl: url, auth: tokens.customer });

const sku = "hey-cup";
const cup: shop.NewProduct = { id: sku, name: "Cup", variants: [{ sku, price: "8.00" }] };
taken(await shop.createProduct({ client: admin, headers: key(), body: cup }));
taken(await shop.setInventory({ client: admin, path: { sku }, body: { on_hand: 10 } }));
const offer: shop.NewPromotion = {
  code: "HEY25",
  effect: { type: "percent_off", target: "order", percent: "25" },
};
taken(await shop.createPromotion({ client: admin, headers: key(), body: offer }));

const { id } = taken(await shop.openCart({ client: customer, headers: key(), body: {} }));
const cart = { client: customer, path: { id }, headers: key() };
taken(await shop.addCartItem({ ...cart, body: { sku, quantity: 2 } }));
const check = taken(await shop.addCartPromotion({ ...cart, body: { code: "HEY25" } }));
assert(check.valid);
assert.equal(check.quote.total, "12.00");
const order = taken(
  await shop.createCheckout({
    client: customer,
    headers: key(),
    body: { cart_id: id, shipping_address: address, expected_total: check.quote.total },
  }),
);
const payment = taken(
  await shop.confirmPayment({
    client: customer,
    path: { id: order.payment.id },
    headers: key(),
    body: { token: "tok_ok" },
  }),
);
assert.equal(payment.status, "succeeded");
const read = taken(await shop.getOrder({ client: customer, path: { id: order.id } }));
assert.deepEqual([read.status, read.total, read.items[0]?.sku], ["paid", "12.00", sku]);

const refused = await shop.createProduct({ client: customer, headers: key(), body: cup });
assert.equal(refused.response?.status, 403);
assert.equal(refused.error?.code, "forbidden");
console.log(`hey-api: order ${read.number} is ${read.status}`);

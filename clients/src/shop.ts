// The shop under test and the journey's data, which both generated clients send.
import { strict as assert } from "node:assert";
import { randomUUID } from "node:crypto";

function setting(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set`);
  return value;
}

export const url = setting("SHOP");
export const tokens = { admin: setting("ADMIN_TOKEN"), customer: setting("CUSTOMER_TOKEN") };

export const key = (): { "Idempotency-Key": string } => ({ "Idempotency-Key": randomUUID() });

export const address = {
  name: "Ann Example",
  line1: "1 Main Street",
  city: "Springfield",
  postal_code: "12345",
  country: "US",
};

/** Takes the document of an answer, or fails with the problem. */
export function taken<T>({ data, error }: { data?: T | undefined; error?: unknown }): T {
  assert(data !== undefined, JSON.stringify(error));
  return data;
}

// The AsyncAPI document of the events, read by the official parser, and events of the feed, read by the official SDK of CloudEvents.
import { strict as assert } from "node:assert";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";
import { CloudEvent, HTTP } from "cloudevents";
import { tokens, url } from "./shop.js";

const text = await (await fetch(`${url}/asyncapi.json`)).text();
const { document, diagnostics } = await new Parser().parse(text);
const found = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
assert.deepEqual(found.map(({ code, message, path }) => `${code} ${path.join(".")}: ${message}`), []);
assert(document);
const types = new Set(document.messages().all().map((message) => message.name()));
assert(types.has("order.created"), [...types].join());

const answer = await fetch(`${url}/v1/events?limit=100`, { headers: { Authorization: `Bearer ${tokens.admin}` } });
const { items } = (await answer.json()) as { items: { id: string; type: string }[] };
assert(items.length > 0);
for (const item of items) {
  const headers = { "content-type": "application/cloudevents+json" };
  const event = HTTP.toEvent({ headers, body: JSON.stringify(item) });
  assert(event instanceof CloudEvent && event.validate());
  assert.deepEqual([event.id, event.type], [item.id, item.type]);
  assert(types.has(event.type), event.type);
}

// Reads messages as JSON, headers and body, and writes the events that the official SDK of CloudEvents makes of them.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { CloudEvent, HTTP, type Message } from "cloudevents";

const messages = JSON.parse(readFileSync(0, "utf8")) as Message[];
const events = messages.map((message) => {
  const event = HTTP.toEvent(message);
  assert(event instanceof CloudEvent && event.validate());
  return event;
});
process.stdout.write(JSON.stringify(events));

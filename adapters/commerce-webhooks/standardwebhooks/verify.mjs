// Verifies a webhook with the official library. Reads the secret, the headers and the body as JSON; fails if they do not agree.

import { readFileSync } from "node:fs";

import { Webhook } from "standardwebhooks";

const given = JSON.parse(readFileSync(0, "utf8"));
new Webhook(given.secret).verify(given.body, given.headers);

"""Verifies a webhook with the official library. Reads the secret, the headers and the body as JSON; fails if they do not agree."""

import json
import sys

from standardwebhooks import Webhook

given = json.load(sys.stdin)
Webhook(given["secret"]).verify(given["body"], given["headers"])

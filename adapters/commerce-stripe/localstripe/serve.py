"""localstripe on a free port, with what it lacks: captures in parts, their metadata, charges
off session, and the amounts and the charges of an intent.

It prints the port, and ends with its input.
"""

import asyncio
import sys

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError

Intent = resources.PaymentIntent


def taken(self):
    """What was taken, by captures or at once."""
    charge = self.latest_charge
    at_once = self.amount if charge is not None and charge.status == 'succeeded' and charge.captured else 0
    return getattr(self, '_taken', at_once)


def left(self):
    """What is held and not taken."""
    return self.amount - self.amount_received if self.status == 'requires_capture' else 0


def capture(id, amount_to_capture=None, final_capture='true', metadata=None):
    """Captures a part; a final one gives back the rest."""
    intent = Intent._api_retrieve(id)
    before = intent.amount_received
    amount = int(amount_to_capture) if amount_to_capture is not None else intent.amount_capturable
    if intent.status != 'requires_capture' or amount > intent.amount_capturable:
        raise UserError(400, 'Bad request')
    intent._update(metadata=metadata or {})
    intent._taken = before + amount
    if final_capture == 'true' or intent._taken == intent.amount:
        intent.latest_charge.captured = True
        intent._on_success()
    return intent


def confirm(id, off_session=None, **data):
    """Confirms with the customer or without."""
    return Intent._api_confirm(id, **data)


list_charges = resources.Charge._api_list_all


def charges(url, payment_intent=None, **data):
    """Lists charges, or those of an intent."""
    found = list_charges(url, **data)
    if payment_intent is not None:
        found._list = [one for one in found._list if getattr(one, 'payment_intent', None) == payment_intent]
    return found


def replace(path, function):
    place = next(place for place, api in enumerate(resources.extra_apis) if api[1] == path)
    resources.extra_apis[place] = ('POST', path, function)


resources.Charge._api_list_all = charges
Intent.amount_received = property(taken)
Intent.amount_capturable = property(left)
replace('/v1/payment_intents/{id}/capture', capture)
replace('/v1/payment_intents/{id}/confirm', confirm)

# The routes are made from the list above when this module is loaded.
from localstripe import server  # noqa: E402


async def main():
    runner = web.AppRunner(server.app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())

"""Checks the addresses of an order, as a workflow step: it notes on the order that they are
good, or stops the workflow.

Run it, with Python 3.9 or later and nothing else:

    SIGNING_SECRET=whsec_… python3 examples/python-address-check/main.py

and have a WebhookWorkflowStep with stopOnError call http://127.0.0.1:9106/, through a connector
with that signingSecret.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from collections import OrderedDict
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST_BYTES = 22 * 1024 * 1024  # an order has up to 10 MiB, and its lines are sent twice
MOST_ANSWERS = 10_000

# What a postal code looks like, by country.
POSTAL_CODES = {"DK": r"\d{4}", "FI": r"\d{5}", "NO": r"\d{4}", "SE": r"\d{3} ?\d{2}"}

secret = os.environ.get("SIGNING_SECRET", "")
key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
if not key:
    sys.exit("SIGNING_SECRET is needed")

# A call that comes again gets the answer that it had: by its Idempotency-Key, the newest last.
answers = OrderedDict()
answering = threading.Lock()


def verified(headers, body):
    """Tells whether body was signed with the key, in the last five minutes."""
    call, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not call or not at.isdigit() or abs(time.time() - int(at)) > 300:
        return False
    want = hmac.new(key, f"{call}.{at}.".encode() + body, hashlib.sha256).digest()
    want = "v1," + base64.b64encode(want).decode()
    signatures = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(got, want.encode()) for got in signatures)


def problems(order):
    """Names what is wrong with the addresses of an order."""
    for name in ("BillingAddress", "ShippingAddress"):
        address = order.get(name)
        if not address:
            continue
        country, code = address.get("CountryCode") or "", address.get("PostalCode") or ""
        if country not in POSTAL_CODES:
            yield f"{name}: nothing is known of the country {country!r}"
        elif not re.fullmatch(POSTAL_CODES[country], code):
            yield f"{name}: {code!r} is no postal code of {country}"


def answer(order):
    """Says what becomes of an order. The patch names what changes and nothing else."""
    wrong = "; ".join(problems(order))
    if wrong:
        return {"OrderActionExecutionResults": [{"ActionStatus": "Error", "CancelWorkflow": True, "ErrorReason": wrong}]}
    return {"OrderActionExecutionResults": [{"ActionStatus": "Success"}], "OrderPatch": {"Tags": ["address-checked"]}}


class Step(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # so that the connection stays open for the next call
    timeout = 90  # longer than orderhook leaves a connection idle
    disable_nagle_algorithm = True  # else the body of an answer waits until its head has arrived

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            self.close_connection = True  # what follows is a body that nobody reads
            return self.reply(411, "Content-Length is needed")
        if not 0 <= length <= MOST_BYTES:
            self.close_connection = True
            return self.reply(413, "the body is too large")
        body = self.rfile.read(length)
        if len(body) < length:  # the caller broke off
            self.close_connection = True
            return
        if not verified(self.headers, body):
            return self.reply(401, "the signature is wrong")
        try:
            order = json.loads(body, parse_float=Decimal)["Value"]  # no price passes through a float
            call = self.headers["webhook-id"]
            with answering:
                if call not in answers:
                    answers[call] = json.dumps(answer(order))
                    if len(answers) > MOST_ANSWERS:
                        answers.popitem(last=False)
                text = answers[call]
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.reply(400, "this is no call of a workflow step")
        self.reply(200, text, "application/json")

    def reply(self, status, text, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


host, _, port = os.environ.get("LISTEN", "127.0.0.1:9106").rpartition(":")
server = ThreadingHTTPServer((host, int(port)), Step)
print(f"listening on http://{host}:{server.server_port}", flush=True)
server.serve_forever()

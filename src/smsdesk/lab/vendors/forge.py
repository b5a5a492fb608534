"""Callbacks on demand: forged, replayed, doubled, late or out of order, to see what a customer makes of them."""

import asyncio
from dataclasses import replace
from itertools import islice
from typing import Annotated, Literal

import msgspec

from smsdesk.domain.segments import segment
from smsdesk.lab.reading import e164
from smsdesk.lab.vendors.account import Account
from smsdesk.lab.vendors.courier import Courier
from smsdesk.lab.vendors.exchange import Callback
from smsdesk.lab.vendors.gateway import Gateway
from smsdesk.lab.vendors.message import State
from smsdesk.lab.vendors.vendor import Inbound, Sending

_FORGED_SECRET = "not the customer's"  # noqa: S105 - wrong on purpose
_PATIENCE = 15.0


class Forgery(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One callback to send now."""

    kind: Literal["status", "inbound"] = "status"
    proof: Literal["right", "wrong", "missing", "old"] = "wrong"
    """`old` is right, but `age` seconds ago."""
    age: Annotated[float, msgspec.Meta(ge=0)] = 3600.0
    times: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """So many copies, all at once."""
    url: str | None = None
    """Where to; where the account or the text says unless given."""
    message_id: str | None = None
    """Which text a status is about; the latest unless given."""
    state: State = "delivered"
    source: str = "+14155550100"
    to: str = "+14155550199"
    body: Annotated[str, msgspec.Meta(max_length=1600)] = "STOP"


async def forge(gateway: Gateway, courier: Courier, forgery: Forgery, number: int, now: float) -> list[int | str]:
    """Sends it, and gives what each copy was answered with: a status, `connect` or `timeout`. ValueError where there
    is no such text, no address, or nothing to forge."""
    account = _account(gateway, forgery)
    at = now - forgery.age if forgery.proof == "old" else now
    callbacks = _callbacks(gateway, account, forgery, number, Sending("", at, signed=forgery.proof != "missing"))
    for callback in callbacks:
        if why := courier.refuses(callback.url):
            raise ValueError(why)
    copies = [courier.post(callback, _PATIENCE) for callback in callbacks for _ in range(forgery.times)]
    return await asyncio.gather(*copies)


def _account(gateway: Gateway, forgery: Forgery) -> Account:
    secret = gateway.account.proven_by
    if forgery.proof != "right" and not secret:
        raise ValueError(f"{gateway.vendor.name} proves nothing that could be forged: use proof right")
    return msgspec.structs.replace(gateway.account, **{secret: _FORGED_SECRET} if forgery.proof == "wrong" else {})


def _callbacks(gateway: Gateway, account: Account, forgery: Forgery, number: int, sending: Sending) -> list[Callback]:
    if forgery.kind == "inbound":
        url = forgery.url or gateway.account.inbound_url
        inbound = Inbound(number, e164(forgery.source), e164(forgery.to), forgery.body, segment(forgery.body))
        return [gateway.vendor.inbound(inbound, account, replace(sending, url=_known(url)))]
    latest = next(islice(gateway.book.latest(), 1), None)
    message = gateway.book.find(forgery.message_id) if forgery.message_id else latest
    if message is None:
        raise ValueError("there is no such text: send one first, or name the message_id of one")
    url = _known(forgery.url or message.order.status_url or gateway.account.status_url)
    callbacks = gateway.vendor.status(message, forgery.state, account, replace(sending, url=url))
    if not callbacks:
        raise ValueError(f"{gateway.vendor.name} tells nothing of {forgery.state}")
    return callbacks


def _known(url: str) -> str:
    if not url:
        raise ValueError("there is no address: give url, or set one in the account")
    return url

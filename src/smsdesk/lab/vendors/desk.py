"""All HTTP vendors of a lab, and the routes under which they stand."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import count
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, put, route
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, JSONBody

from smsdesk.lab.config import LabConfig
from smsdesk.lab.network import Network
from smsdesk.lab.vendors import exchange
from smsdesk.lab.vendors.bandwidth import Bandwidth
from smsdesk.lab.vendors.courier import Courier
from smsdesk.lab.vendors.exchange import Answer
from smsdesk.lab.vendors.forge import Forgery, forge
from smsdesk.lab.vendors.gateway import Gateway, Taken
from smsdesk.lab.vendors.generic import Generic
from smsdesk.lab.vendors.kannel import Kannel
from smsdesk.lab.vendors.telnyx import Telnyx
from smsdesk.lab.vendors.twilio import Twilio
from smsdesk.lab.vendors.vendor import Vendor
from smsdesk.lab.vendors.vonage import Vonage
from smsdesk.lab.vendors.wire import cut, gone

VENDORS: tuple[Vendor, ...] = (Twilio(), Vonage(), Telnyx(), Bandwidth(), Kannel(), Generic())
_GARBAGE = bytes(range(128, 160))
_FIRST_RECEIPT_PATIENCE = 1.0
"""How long an answer waits for the receipt that is to come before it."""

LabRequest = Request[None, None, State]


class Vendors:
    """The vendors of one lab. `clock` gives seconds since 1970. ValueError where the configuration names what no
    vendor has."""

    def __init__(self, network: Network, config: LabConfig, clock: Callable[[], float]) -> None:
        # A lab that is started again must not give out an id twice.
        self.numbers = count(int(clock()) << 20)
        self.network = network
        self.courier = Courier(config.callback_pace, config.allow_hosts, clock)
        self.gateways = {
            vendor.name: Gateway(vendor, network, self.courier, self.numbers, config.keep_texts) for vendor in VENDORS
        }
        for name, settings in config.vendor_accounts.items():
            if name not in self.gateways:
                raise ValueError(f"there is no vendor {name!r}: choose among {', '.join(self.gateways)}")
            self.set_account(name, settings)

    def set_account(self, name: str, settings: Mapping[str, Any]) -> None:
        """Replaces a vendor's account. ValueError, for people, for settings that it does not have."""
        gateway = self.gateways[name]
        try:
            gateway.set_account(msgspec.convert(settings, gateway.vendor.account_type))
        except (msgspec.ValidationError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error

    def reset(self) -> None:
        """Forgets all texts and counters; accounts stay."""
        for gateway in self.gateways.values():
            gateway.reset()

    def router(self) -> Router:
        """The routes of all vendors, under /vendors."""
        return Router("/vendors", route_handlers=[list_vendors, put_account, post_forgery, ask_vendor])

    async def close(self) -> None:
        """Ends callbacks that are under way."""
        await self.courier.close()


class VendorView(msgspec.Struct):
    """One vendor as the page shows it; no secrets."""

    name: str
    path: str
    inbound_url: str
    status_url: str
    numbers: tuple[str, ...]
    counts: dict[str, Any]


def _gateway(state: State, name: str) -> Gateway:
    gateway: Gateway | None = state.vendors.gateways.get(name)
    if gateway is None:
        raise NotFoundException(f"there is no vendor {name!r}: choose among {', '.join(state.vendors.gateways)}")
    return gateway


def _view(gateway: Gateway) -> VendorView:
    account, name = gateway.account, gateway.vendor.name
    return VendorView(
        name, f"/vendors/{name}", account.inbound_url, account.status_url, account.numbers, asdict(gateway.counts)
    )


@get("/", sync_to_thread=False)
def list_vendors(state: State) -> list[VendorView]:
    """The vendors, where their callbacks go, and what they did."""
    return [_view(gateway) for gateway in state.vendors.gateways.values()]


@put("/{name:str}/account", sync_to_thread=False)
def put_account(state: State, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> VendorView:
    """Replaces a vendor's account; what is not named is at its default again."""
    gateway = _gateway(state, name)
    try:
        state.vendors.set_account(name, data)
    except ValueError as error:
        raise ClientException(str(error)) from error
    return _view(gateway)


@post("/{name:str}/forge", status_code=200)
async def post_forgery(state: State, name: FromPath[str], data: JSONBody[Forgery]) -> dict[str, list[int | str]]:
    """Sends one callback now, forged or not, and says how it was answered."""
    vendors: Vendors = state.vendors
    gateway = _gateway(state, name)
    try:
        return {"answers": await forge(gateway, vendors.courier, data, next(vendors.numbers), vendors.network.now())}
    except ValueError as error:
        raise ClientException(str(error)) from error


@route("/{name:str}/{path:path}", http_method=["GET", "POST"])
async def ask_vendor(request: LabRequest, state: State, name: FromPath[str], path: FromPath[str]) -> Response[bytes]:
    """What the vendor itself offers, as its own documentation says."""
    gateway = _gateway(state, name)
    taken = gateway.receive(
        exchange.Request(
            request.method,
            path.strip("/"),
            request.scope["query_string"].decode("latin-1"),
            {key.lower(): value for key, value in request.headers.items()},
            await request.body(),
        )
    )
    return await _answered(request, state.vendors, gateway, taken)


async def _answered(request: LabRequest, vendors: Vendors, gateway: Gateway, taken: Taken) -> Response[bytes]:
    verdict = taken.verdict
    if taken.message is not None and verdict.receipt_first:
        receipts = vendors.courier.start(gateway.follow(taken.message, verdict))
        await asyncio.wait({receipts}, timeout=_FIRST_RECEIPT_PATIENCE)
    if verdict.answer_delay:
        await asyncio.sleep(verdict.answer_delay)
    answer = Answer(200, _GARBAGE) if verdict.answer == "garbage" else taken.answer
    if verdict.answer == "none" or verdict.connection != "stays":
        await _spoil(request, vendors, taken)

    async def follow() -> None:
        if taken.message is not None and not verdict.receipt_first:
            vendors.courier.start(gateway.follow(taken.message, verdict))

    return Response(
        answer.body,
        status_code=answer.status,
        media_type=answer.content_type,
        headers=dict(answer.headers),
        background=BackgroundTask(follow),
    )


async def _spoil(request: LabRequest, vendors: Vendors, taken: Taken) -> None:
    """Lets the connection end before the answer, or hang until the customer closes it."""
    verdict = taken.verdict
    if verdict.connection == "hangs":
        await gone(request)
        return
    vendors.network.counters.dropped_lines += 1
    half = taken.answer if verdict.answer == "half" else None
    await cut(request, reset=verdict.connection == "resets", answer=half)

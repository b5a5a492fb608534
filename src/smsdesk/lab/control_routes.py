"""The lab's HTTP API, the operator's half: what goes wrong, how the SMSC speaks, its lines and its counters."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import MediaType, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import JSONBody
from litestar.response import Stream

from smsdesk.lab import views
from smsdesk.lab.dialect import Dialect
from smsdesk.lab.faults import NO_FAULTS, Faults
from smsdesk.lab.feed import Feed
from smsdesk.lab.hosts import is_allowed
from smsdesk.lab.profiles import PROFILES, ChosenProfile, Profile, choose
from smsdesk.lab.smsc import Smsc
from smsdesk.lab.stats import LineInfo, Stats

_HEARTBEAT = 15.0


class Drop(msgspec.Struct, forbid_unknown_fields=True):
    """Which lines to end; both None means all. They are reset, or politely unbound."""

    line: str | None = None
    system_id: str | None = None
    unbind: bool = False


class OutbindOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Which ESME to ask to bind."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    system_id: Annotated[str, msgspec.Meta(max_length=15)] = "smsdesk-lab"
    password: Annotated[str, msgspec.Meta(max_length=8)] = ""


def _smsc(state: State) -> Smsc:
    smsc: Smsc = state.smsc
    return smsc


@delete("/texts", status_code=200, sync_to_thread=False)
def reset(state: State) -> dict[str, int]:
    """Empties all handsets, what is on its way either way, and the counters. Lines, faults and indexes stay."""
    smsc, vendors = _smsc(state), state.vendors
    vendors.reset()
    return {"deleted": smsc.reset(), "last_index": smsc.network.handsets.last_index}


@get("/faults", sync_to_thread=False)
def get_faults(state: State) -> Faults:
    """The faults that are on."""
    return _smsc(state).network.faults


@put("/faults", sync_to_thread=False)
def put_faults(state: State, data: JSONBody[Faults]) -> Faults:
    """Replaces all faults; what is not named is off."""
    _smsc(state).network.set_faults(data)
    return data


@delete("/faults", sync_to_thread=False)
def delete_faults(state: State) -> None:
    """Switches all faults off."""
    _smsc(state).network.set_faults(NO_FAULTS)


@get("/profiles", sync_to_thread=False)
def list_profiles() -> dict[str, Profile]:
    """The profiles that there are, with their numbers."""
    return PROFILES


@get("/profile", sync_to_thread=False)
def get_profile(state: State) -> ChosenProfile:
    """The profile that is on."""
    return _smsc(state).network.profile


@put("/profile", sync_to_thread=False)
def put_profile(state: State, data: JSONBody[dict[str, str | float]]) -> ChosenProfile:
    """Chooses a profile by its `name`; other fields are numbers of one's own in place of the profile's."""
    own = {field: value for field, value in data.items() if field != "name"}
    try:
        chosen = choose(str(data.get("name", "perfect")), own)
    except ValueError as error:
        raise ClientException(str(error)) from error
    _smsc(state).network.set_profile(chosen)
    return chosen


@get("/dialect", sync_to_thread=False)
def get_dialect(state: State) -> Dialect:
    """How the SMSC writes ids, receipts and replies."""
    return _smsc(state).intake.dialect


@put("/dialect", sync_to_thread=False)
def put_dialect(state: State, data: JSONBody[Dialect]) -> Dialect:
    """Replaces the dialect, from the next PDU on; what is not named is as the standard has it."""
    _smsc(state).intake.dialect = data
    return data


@get("/lines", sync_to_thread=False)
def list_lines(state: State) -> list[LineInfo]:
    """The connections on the SMPP ports, bound or not yet."""
    return _smsc(state).line_infos()


@post("/lines/drop", status_code=200, sync_to_thread=False)
def drop_lines(state: State, data: JSONBody[Drop]) -> dict[str, int]:
    """Ends connections at once, with all that waits in them."""
    return {"dropped": _smsc(state).drop_lines(data.line, data.system_id, unbind=data.unbind)}


@post("/outbind")
async def outbind(state: State, data: JSONBody[OutbindOrder]) -> dict[str, str]:
    """Connects to an ESME that listens there and asks it to bind."""
    smsc = _smsc(state)
    if not is_allowed(data.host, smsc.config.allow_hosts):
        raise ClientException(f"{data.host} is not this machine: start the lab with --allow-host {data.host}")
    try:
        return {"line": await smsc.outbind(data.host, data.port, data.system_id, data.password)}
    except OSError as error:
        raise ClientException(f"nobody listens on {data.host} port {data.port}: {error.strerror}") from error


@get("/certificate", media_type=MediaType.TEXT, sync_to_thread=False)
def get_certificate(state: State) -> Response[str]:
    """The certificate of the TLS port as PEM, for an ESME to trust; 404 where there is no such port."""
    pem: str = state.certificate
    if not pem:
        return Response("", status_code=404)
    return Response(pem, media_type="application/x-pem-file")


@get("/stats", sync_to_thread=False)
def get_stats(state: State) -> Stats:
    """Counters since the start or the last reset."""
    return _smsc(state).snapshot()


@get("/events", sync_to_thread=False)
def events(state: State) -> Stream:
    """Server-sent events `text`, `reply`, `line` (bound; closed with an empty `session`) and, for a reader that was
    too slow, `missed`."""
    feed = _smsc(state).network.feed
    return Stream(_events(feed), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _events(feed: Feed) -> AsyncIterator[bytes]:
    async for items, missed in feed.watch(_HEARTBEAT):
        yield b"".join(views.event(item) for item in items) or b": here\n\n"
        if missed:
            yield b'event: missed\ndata: {"missed": %d}\n\n' % missed


ROUTES = (
    reset,
    get_faults,
    put_faults,
    delete_faults,
    list_profiles,
    get_profile,
    put_profile,
    get_dialect,
    put_dialect,
    list_lines,
    drop_lines,
    outbind,
    get_certificate,
    get_stats,
    events,
)

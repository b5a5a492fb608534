"""The lab's HTTP API: what arrived, what a person types, what goes wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Litestar, Request, Response, Router, delete, get, post, put
from litestar.datastructures import State
from litestar.exceptions import ClientException, HTTPException
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.static_files import create_static_files_router

from smsdesk.lab import page, views
from smsdesk.lab.faults import NO_FAULTS, Faults
from smsdesk.lab.reading import e164
from smsdesk.lab.smsc import Smsc
from smsdesk.lab.stats import LineInfo, Stats

_HEARTBEAT = 15.0
_NDJSON_PAGE = 1000
_PLACES = {"data": "body", None: "body"}
_After = Annotated[int, QueryParameter(ge=0, description="the index of the last one that you know")]
_Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]
_Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
_Body = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    """A reply typed at a handset. Without `to` it answers the number that texted this handset last."""

    body: _Body
    to: _Number | None = None


class AutoReply(msgspec.Struct, forbid_unknown_fields=True):
    """What a handset answers by itself to each text."""

    body: _Body


class Drop(msgspec.Struct, forbid_unknown_fields=True):
    """Which lines to reset; both None means all."""

    line: str | None = None
    system_id: str | None = None


def smsc_of(state: State) -> Smsc:
    """The lab that this application shows."""
    smsc: Smsc = state.smsc
    return smsc


@get("/handsets", sync_to_thread=False)
def list_handsets(state: State) -> list[views.HandsetView]:
    """Every handset that a text reached or that somebody used, the latest first."""
    return views.handsets(smsc_of(state).handsets)


@get("/handsets/{number:str}/texts", sync_to_thread=False)
def handset_texts(state: State, number: FromPath[str], after: _After = 0, limit: _Limit = 1000) -> list[views.TextView]:
    """The texts that arrived at one handset, oldest first; none for a number that nobody texted."""
    return [views.text(t) for t in smsc_of(state).handsets.after(after, limit, _known_form(number))]


@get("/handsets/{number:str}/replies", sync_to_thread=False)
def handset_replies(state: State, number: FromPath[str]) -> list[views.ReplyView]:
    """The replies typed at one handset, oldest first, with what became of each."""
    handset = smsc_of(state).handsets.by_number.get(_known_form(number))
    return [views.reply(r) for r in handset.replies] if handset else []


@post("/handsets/{number:str}/reply", sync_to_thread=False)
def type_reply(state: State, number: FromPath[str], data: JSONBody[Typed]) -> views.ReplyView:
    """Sends a text from the handset to the ESME that owns `to`; it waits in the lab until one is bound."""
    smsc, number = smsc_of(state), _known_form(number)
    handset = smsc.handsets.by_number.get(number)
    to = data.to or (handset.texts[-1].source if handset and handset.texts else None)
    if to is None:
        raise ClientException(f"to is required: nobody has texted {number} yet")
    try:
        return views.reply(smsc.reply(number, e164(to), data.body))
    except ValueError as error:
        raise ClientException(str(error)) from error


@put("/handsets/{number:str}/auto-reply", sync_to_thread=False)
def set_auto_reply(state: State, number: FromPath[str], data: JSONBody[AutoReply]) -> AutoReply:
    """From now on the handset (`*`: every handset without an own one) answers each text with this body."""
    _set_auto_reply(smsc_of(state), number, data.body)
    return data


@delete("/handsets/{number:str}/auto-reply", sync_to_thread=False)
def delete_auto_reply(state: State, number: FromPath[str]) -> None:
    """The handset answers nothing by itself any more."""
    _set_auto_reply(smsc_of(state), number, None)


def _set_auto_reply(smsc: Smsc, number: str, body: str | None) -> None:
    if number == "*":
        smsc.handsets.auto_reply = body
    else:
        smsc.handsets.handset(_known_form(number)).auto_reply = body


@get("/texts", sync_to_thread=False)
def all_texts(
    state: State, request: Request[None, None, State], after: _After = 0, limit: _Limit = 1000
) -> Response[list[views.TextView]] | Stream:
    """All texts in order of arrival. With `Accept: application/x-ndjson` all of them, a line each, without a limit."""
    smsc = smsc_of(state)
    if "application/x-ndjson" in request.headers.get("accept", ""):
        return Stream(_ndjson(smsc, after), media_type="application/x-ndjson")
    return Response([views.text(t) for t in smsc.handsets.after(after, limit)])


async def _ndjson(smsc: Smsc, after: int) -> AsyncIterator[bytes]:
    end = smsc.handsets.last_index
    while after < end and (texts := smsc.handsets.after(after, _NDJSON_PAGE)):
        after = texts[-1].index
        yield b"".join(msgspec.json.encode(views.text(t)) + b"\n" for t in texts)


@delete("/texts", status_code=200, sync_to_thread=False)
def reset(state: State) -> dict[str, int]:
    """Empties all handsets, what waits to be delivered, and the counters. Lines, faults and indexes stay."""
    smsc = smsc_of(state)
    return {"deleted": smsc.reset(), "last_index": smsc.handsets.last_index}


@get("/faults", sync_to_thread=False)
def get_faults(state: State) -> Faults:
    """The faults that are on."""
    return smsc_of(state).faults


@put("/faults", sync_to_thread=False)
def put_faults(state: State, data: JSONBody[Faults]) -> Faults:
    """Replaces all faults; what is not named is off."""
    smsc_of(state).set_faults(data)
    return data


@delete("/faults", sync_to_thread=False)
def delete_faults(state: State) -> None:
    """Switches all faults off."""
    smsc_of(state).set_faults(NO_FAULTS)


@get("/lines", sync_to_thread=False)
def list_lines(state: State) -> list[LineInfo]:
    """The connections on the SMPP port, bound or not yet."""
    return smsc_of(state).line_infos()


@post("/lines/drop", status_code=200, sync_to_thread=False)
def drop_lines(state: State, data: JSONBody[Drop]) -> dict[str, int]:
    """Resets connections at once, with all that waits in them."""
    return {"dropped": smsc_of(state).drop_lines(data.line, data.system_id)}


@get("/stats", sync_to_thread=False)
def get_stats(state: State) -> Stats:
    """Counters since the start or the last reset."""
    return smsc_of(state).snapshot()


@get("/events", sync_to_thread=False)
def events(state: State) -> Stream:
    """Server-sent events `text`, `reply`, `line` (bound; closed with an empty `session`) and, for a reader that was
    too slow, `missed`."""
    return Stream(_events(smsc_of(state)), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def _events(smsc: Smsc) -> AsyncIterator[bytes]:
    async for items, missed in smsc.feed.watch(_HEARTBEAT):
        yield b"".join(views.event(item) for item in items) or b": here\n\n"
        if missed:
            yield b'event: missed\ndata: {"missed": %d}\n\n' % missed


def _known_form(number: str) -> str:
    known = e164(number)
    if not known.lstrip("+").isdigit():
        raise ClientException(f"{number!r} is not a phone number: write it like +14155550100")
    return known


def _as_message(_: Request[None, None, State], error: HTTPException) -> Response[dict[str, str]]:
    details = error.extra if isinstance(error.extra, list) else []
    reasons = "; ".join(
        f"{_PLACES.get(d.get('key'), d.get('key'))}: {d.get('message')}" for d in details if isinstance(d, dict)
    )
    return Response({"message": reasons or error.detail}, status_code=error.status_code, headers=error.headers)


def build_app(smsc: Smsc) -> Litestar:
    """The ASGI application of one lab."""
    here = Path(__file__).parent
    api = Router(
        "/",
        route_handlers=[
            list_handsets, handset_texts, handset_replies, type_reply, set_auto_reply, delete_auto_reply, all_texts,
            reset, get_faults, put_faults, delete_faults, list_lines, drop_lines, get_stats, events, page.show,
        ],
    )  # fmt: skip
    return Litestar(
        [api, create_static_files_router("/static", [here / "static"])],
        state=State({"smsc": smsc}),
        exception_handlers={HTTPException: _as_message},
        openapi_config=None,
        logging_config=None,
    )

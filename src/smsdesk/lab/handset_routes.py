"""The lab's HTTP API, the handsets' half: what arrived, and what a person types."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, TypeVar

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from smsdesk.lab import views
from smsdesk.lab.network import Network
from smsdesk.lab.pictures import Attached, content_type_of
from smsdesk.lab.reading import e164
from smsdesk.lab.replies import Encoding
from smsdesk.lab.smsc import Smsc

T = TypeVar("T")
_NDJSON = "application/x-ndjson"
_NDJSON_PAGE = 1000
_LARGEST_BODY = 150_000_000
_After = Annotated[int, QueryParameter(ge=0, description="the index of the last one that you know")]
_Skipped = Annotated[int, QueryParameter(ge=0, description="how many you know already")]
_Limit = Annotated[int, QueryParameter(ge=1, le=10_000)]
_Search = Annotated[str, QueryParameter(max_length=20, description="a piece of the number")]
_Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
_Body = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    """A reply typed at a handset. Without `to` it answers the number that texted this handset last; without `encoding`
    it goes in the shortest that has all its characters. The body of a `binary` one is hexadecimal. `media` are files in
    base64, `media_urls` addresses of others."""

    body: Annotated[str, msgspec.Meta(max_length=10_000)] = ""
    to: _Number | None = None
    encoding: Encoding | None = None
    media: Annotated[list[bytes], msgspec.Meta(max_length=99)] = []
    media_urls: Annotated[list[str], msgspec.Meta(max_length=99)] = []


class AutoReply(msgspec.Struct, forbid_unknown_fields=True):
    """What a handset answers by itself to each text."""

    body: _Body


def network_of(state: State) -> Network:
    """The network that this application shows."""
    smsc: Smsc = state.smsc
    return smsc.network


@get("/handsets", sync_to_thread=False)
def list_handsets(
    state: State, search: _Search = "", after: _Skipped = 0, limit: _Limit = 10_000
) -> Response[list[views.HandsetView]]:
    """Handsets that a text reached or that somebody used, the latest first; X-Total says how many there are."""
    found, total = network_of(state).handsets.latest(search, after, limit)
    return Response([views.handset(h) for h in found], headers={"x-total": str(total)})


@get("/handsets/{number:str}/texts", sync_to_thread=False)
def handset_texts(state: State, number: FromPath[str], after: _After = 0, limit: _Limit = 1000) -> list[views.TextView]:
    """The texts that arrived at one handset, oldest first; none for a number that nobody texted."""
    return [views.text(t) for t in network_of(state).handsets.after(after, limit, _known_form(number))]


@get("/handsets/{number:str}/replies", sync_to_thread=False)
def handset_replies(state: State, number: FromPath[str]) -> list[views.ReplyView]:
    """The replies typed at one handset, oldest first, with what became of each."""
    handset = network_of(state).handsets.by_number.get(_known_form(number))
    return [views.reply(r) for r in handset.replies] if handset else []


@post("/handsets/{number:str}/reply", sync_to_thread=False, request_max_body_size=_LARGEST_BODY)
def type_reply(
    request: Request[None, None, State], state: State, number: FromPath[str], data: JSONBody[Typed]
) -> views.ReplyView:
    """Sends a text from the handset to who owns `to`; over SMPP it waits in the lab until the owner is bound."""
    if not (data.body or data.media or data.media_urls):
        raise ClientException("body is required: a reply has words, or files, or both")
    network, number = network_of(state), _known_form(number)
    handset = network.handsets.by_number.get(number)
    to = data.to or (handset.texts[-1].source if handset and handset.texts else None)
    if to is None:
        raise ClientException(f"to is required: nobody has texted {number} yet")
    base = str(request.base_url).rstrip("/")
    media = [Attached(content_type_of(content), base, network.shelf.put(content)) for content in data.media]
    media += [Attached("application/octet-stream", elsewhere=url) for url in data.media_urls]
    try:
        return views.reply(network.reply(number, e164(to), data.body, data.encoding, tuple(media)))
    except ValueError as error:
        raise ClientException(str(error)) from error


@get("/media/{number:int}", sync_to_thread=False)
def read_media(state: State, number: FromPath[int]) -> Response[bytes]:
    """A file that somebody sent from a handset."""
    content = network_of(state).shelf.get(number)
    if content is None:
        raise NotFoundException(f"there is no file {number}")
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(content, media_type=content_type_of(content), headers=headers)


@put("/handsets/{number:str}/auto-reply", sync_to_thread=False)
def set_auto_reply(state: State, number: FromPath[str], data: JSONBody[AutoReply]) -> AutoReply:
    """From now on the handset (`*`: every handset without an own one) answers each text with this body."""
    _set_auto_reply(network_of(state), number, data.body)
    return data


@delete("/handsets/{number:str}/auto-reply", sync_to_thread=False)
def delete_auto_reply(state: State, number: FromPath[str]) -> None:
    """The handset answers nothing by itself any more."""
    _set_auto_reply(network_of(state), number, None)


def _set_auto_reply(network: Network, number: str, body: str | None) -> None:
    if number == "*":
        network.handsets.auto_reply = body
    else:
        network.handsets.handset(_known_form(number)).auto_reply = body


@get("/texts", sync_to_thread=False)
def all_texts(
    state: State, request: Request[None, None, State], after: _After = 0, limit: _Limit = 1000
) -> Response[list[views.TextView]] | Stream:
    """All texts in order of arrival. With `Accept: application/x-ndjson` all of them, a line each, without a limit."""
    handsets = network_of(state).handsets
    if _NDJSON in request.headers.get("accept", ""):
        lines = _lines(handsets.page, views.text, after, handsets.last_index)
        return Stream(lines, media_type=_NDJSON)
    return Response([views.text(t) for t in handsets.after(after, limit)])


@get("/segments", sync_to_thread=False)
def all_segments(state: State, after: _After = 0) -> Stream:
    """Every segment that the network took, a line of JSON each, in order: `at` (seconds since 1970), `source`,
    `destination`, `system`, `via`, `segments`. Whether the phone got it does not matter here."""
    log = network_of(state).segments
    return Stream(_lines(log.page, lambda segment: segment, after, log.last_index), media_type=_NDJSON)


async def _lines(
    page: Callable[[int, int], tuple[Sequence[T], int]], view: Callable[[T], object], index: int, end: int
) -> AsyncIterator[bytes]:
    while index < end:
        entries, index = page(index, _NDJSON_PAGE)
        if not entries:
            return
        yield b"".join(msgspec.json.encode(view(entry)) + b"\n" for entry in entries)


def _known_form(number: str) -> str:
    known = e164(number)
    if not known.lstrip("+").isdigit():
        raise ClientException(f"{number!r} is not a phone number: write it like +14155550100")
    return known


ROUTES = (
    list_handsets,
    handset_texts,
    handset_replies,
    type_reply,
    read_media,
    set_auto_reply,
    delete_auto_reply,
    all_texts,
    all_segments,
)

"""What vendors write in the same few ways: JSON, forms, proofs, numbers, and our own mark in a callback's address."""

import base64
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from smsdesk.carriers.contract import CallbackRequest, Forged, OutboundText, Reply, Unreadable
from smsdesk.carriers.http import HttpConfig
from smsdesk.domain.gsm import is_gsm
from smsdesk.domain.media import MediaSource

T = TypeVar("T")

TOLERANCE = 300.0
"""Seconds that a signed callback may be old, or our clock may be behind: what the vendors' own libraries allow."""
_MOST_FIELDS = 1000
_INTERNATIONAL = re.compile(r"[1-9][0-9]{8,14}")
"""A number with its country code (ITU-T E.164 allows 15 digits); fewer than 9 may be a short code."""


def read_json(body: bytes, kind: type[T]) -> T:
    """The JSON of a callback as a value of `kind`; raises Unreadable."""
    try:
        return msgspec.json.decode(body, type=kind)
    except ValueError as error:
        raise Unreadable(str(error)) from None


def read_form(encoded: bytes | str) -> list[tuple[str, str]]:
    """The fields of an URL-encoded body or query as they came, empty ones too; raises Unreadable."""
    try:
        text = encoded.decode("ascii") if isinstance(encoded, bytes) else encoded
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Unreadable("neither a form nor a query") from None


def e164(number: str) -> str:
    """A number with its country code gets its plus; a short code or a name stays as it is."""
    bare = number.strip()
    return f"+{bare}" if _INTERNATIONAL.fullmatch(bare) else bare


def read_reply(source: str, destination: str, body: str, name: str, part: tuple[int, int, int] | None = None) -> Reply:
    """A text from a phone, which the vendor calls by `name`; numbers get their plus."""
    encoding = "gsm7" if is_gsm(body) else "ucs2"
    return Reply(e164(source), e164(destination), body, name or None, "http", part, encoding)


def read_media(urls: Iterable[str]) -> tuple[MediaSource, ...]:
    """What came with a text, by its addresses; the last piece of an address is its name for people."""
    return tuple(MediaSource(url, unquote(urlsplit(url).path.rpartition("/")[2])[:80]) for url in urls if url)


def callback_address(config: HttpConfig, text: OutboundText) -> str:
    """Where the vendor reports on one attempt: our callback address with the text's id; empty where none is set."""
    if not config.callback_url:
        return ""
    joint = "&" if urlsplit(config.callback_url).query else "?"
    return f"{config.callback_url}{joint}text={text.text_id}&attempt={text.attempt}"


def reference_in(query: str) -> int | None:
    """What `callback_address` put there, as `Receipt.reference`; None where nothing of it is left."""
    value = dict(read_form(query)).get("text", "")
    return int(value) & 0xFFFF if value.isascii() and value.isdigit() and len(value) < 20 else None


def called_url(config: HttpConfig, request: CallbackRequest) -> str:
    """The address that the vendor called: ours as it was told, with what it added."""
    url = urlsplit(config.callback_url)
    path = f"{url.path.rstrip('/')}/{request.path}" if request.path else url.path
    return url._replace(path=path, query=request.query).geturl()


# Proofs.


def is_same(given: str, wanted: str) -> bool:
    """Whether two secrets or signatures are the same, in a time that tells nothing about them."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def is_one_of(given: str, wanted: Iterable[str]) -> bool:
    """The same for several, such as a key and the one before it; an empty one is never the same as anything."""
    return any(is_same(given, one) for one in wanted if one)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def check_basic(request: CallbackRequest, user: str, passwords: Iterable[str]) -> None:
    """Raises Forged unless the request carries the user with one of the passwords."""
    given = request.headers.get("authorization", "")
    if not is_one_of(given, [basic(user, password) for password in passwords if password]):
        raise Forged("wrong user or password" if given else "no user and password")


def check_fresh(seconds: str, now: datetime, tolerance: float = TOLERANCE) -> None:
    """Raises Forged unless a time of signing, in seconds since 1970, is now, give or take the tolerance."""
    if not re.fullmatch(r"[0-9]{1,12}", seconds):
        raise Forged("no time of signing")
    if abs(now.timestamp() - int(seconds)) > tolerance:
        raise Forged("signed too long ago, or a clock is wrong")

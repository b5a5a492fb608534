"""An HTTP request and its answer as values, and how vendors read and write them. Pure."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """A customer's request. `path` is what follows the vendor's own address; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    def asked(self) -> dict[str, str]:
        """The parameters of the query; of several with one name the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The fields of a form in the body; none where the body is none."""
        if not self.headers.get("content-type", "").startswith(FORM):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def listed(self, name: str) -> tuple[str, ...]:
        """All values of one name in a form, in their order."""
        if not self.headers.get("content-type", "").startswith(FORM):
            return ()
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return tuple(value for key, value in pairs if key == name)

    def object(self) -> dict[str, Any] | None:
        """The JSON object in the body; None where there is none."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def basic(self) -> tuple[str, str] | None:
        """User and password of Basic authentication; None without (RFC 7617)."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (user, password) if colon else None

    def bearer(self) -> str | None:
        """The bearer token; None without (RFC 6750)."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor answers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that a vendor makes to its customer."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


def addresses(value: object) -> tuple[str, ...]:
    """A list of addresses in a JSON value; none where it is no such list."""
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    return Answer(status, msgspec.json.encode(value), headers=headers or {})


def json_callback(url: str, value: object, headers: Mapping[str, str] | None = None) -> Callback:
    """A POST in JSON."""
    return Callback("POST", url, {"content-type": "application/json", **(headers or {})}, msgspec.json.encode(value))


def form_callback(url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Callback:
    """A POST of a form."""
    return Callback("POST", url, {"content-type": FORM, **(headers or {})}, urlencode(fields).encode())


def basic_header(user: str, password: str) -> str:
    """The value of `authorization` (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def instant(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, such as `2026-11-22T10:15:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def since(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 date or time, UTC where it names no zone; None where it is none."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()

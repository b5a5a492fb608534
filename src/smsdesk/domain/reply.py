"""What a phone sent us: whole texts, parts of long ones, and how a repetition is known."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.domain.media import MediaSource

REPETITION_WITHOUT_NAME = timedelta(minutes=10)
"""How long the same words over another connection may be a repetition by the network, where it names none."""
MISSING_PART_WAIT = timedelta(seconds=60)
"""How long the parts that are there wait for one that is missing."""


@dataclass(frozen=True, slots=True)
class InboundPart:
    """A text from a phone, or one part of one, as a carrier handed it over."""

    carrier_id: int
    source: str
    destination: str
    body: str
    encoding: str
    at: datetime
    session: str
    carrier_reference: str | None = None
    part: tuple[int, int, int] | None = None
    """(reference, number from 1, parts in all)."""
    payload: bytes = b""
    media: tuple[MediaSource, ...] = ()
    """Files that came with it, which the carrier keeps for us."""


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text from a phone, whole."""

    carrier_id: int
    source: str
    destination: str
    body: str
    encoding: str
    parts: int = 1
    media: tuple[MediaSource, ...] = ()


def fingerprint(part: InboundPart) -> bytes:
    """The same for two parts that may be one: same carrier's name for it, same phones, same place, same words.

    The words count even where the carrier names its texts, because a restarted network may count from one again.
    """
    digest = hashlib.sha256()
    for field in (part.carrier_reference or "", part.source, part.destination, repr(part.part), part.body):
        data = field.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4) + data)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Earlier:
    """A part with the same fingerprint that was taken in before."""

    session: str
    at: datetime
    answered: bool
    """Its connection went on bringing replies long after, so our answer to this one has left."""


ANSWERED_AFTER = timedelta(seconds=30)
"""How long after a reply another one over the same connection tells that our answer to the first had left."""


def is_repetition(part: InboundPart, earlier: Earlier) -> bool:
    """Whether the network says again what it said before.

    With its own name for the text, always. Without one, over the same connection a person said it twice; over another
    one the network may not have seen our answer: then it is a repetition if it comes soon.
    """
    if part.carrier_reference is not None or (earlier.session == part.session and earlier.at == part.at):
        return True
    if earlier.session == part.session or earlier.answered:
        return False
    return part.at - earlier.at <= REPETITION_WITHOUT_NAME


def join_parts(parts: Mapping[int, tuple[str, str, bytes]], total: int) -> tuple[str, str]:
    """The body and encoding of a long text from its parts: number -> (body, encoding, octets).

    A part that is missing is marked where it belongs. UCS-2 is joined as octets, for a character that was cut in two.
    """
    if all(encoding == "ucs2" and payload for _, encoding, payload in parts.values()):
        pieces = [parts[n][2] if n in parts else _mark(n, total).encode("utf-16-be") for n in range(1, total + 1)]
        return b"".join(pieces).decode("utf-16-be", "replace"), "ucs2"
    body = "".join(parts[n][0] if n in parts else _mark(n, total) for n in range(1, total + 1))
    return body, "ucs2" if any(encoding == "ucs2" for _, encoding, _ in parts.values()) else "gsm7"


def clean(text: str) -> str:
    """The text without what no database keeps: U+0000 and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "�")


def _mark(number: int, total: int) -> str:
    return f"[part {number} of {total} did not arrive]"

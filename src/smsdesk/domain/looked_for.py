"""What somebody looks for, as he typed it into one box: a number, an id, a ticket, a person, or words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from smsdesk.domain.phone import NumberProblem, read_number

Kind = Literal["number", "id", "ticket", "words"]
LARGEST_ID = 2**63 - 1
LONGEST_FOUND = 160
"""Characters of a line that are shown around what was found in it."""
_NUMBERED = re.compile(r"#?\s*([0-9]{1,19})")
_NAMED = re.compile(r"(ticket|chat|text)\s*[:#]\s*(\S+)", re.IGNORECASE)
_DIALLED = re.compile(r"[+(]?[0-9][0-9 ()./-]{8,}")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class LookedFor:
    """One way to understand the box."""

    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a line; `found` is what was looked for."""

    text: str
    found: bool


def read_id(raw: str) -> int | None:
    """The id that somebody's browser sent; None where it is none that there could be."""
    if not (raw.isascii() and raw.isdigit() and len(raw) < 20):
        return None
    return found if (found := int(raw)) <= LARGEST_ID else None


def meanings(typed: str, regions: frozenset[str]) -> Iterator[LookedFor]:
    """The ways in which it can be understood, the surest first: whoever looks takes the first that finds something.
    Words are always the last."""
    typed = " ".join(typed.replace("\x00", " ").split())
    named = _NAMED.fullmatch(typed)
    if named:
        kind, value = named[1].lower(), named[2]
        if kind == "ticket":
            yield LookedFor("ticket", value)
        elif value.isascii() and value.isdigit() and int(value) <= LARGEST_ID:
            yield LookedFor("id", value)
    if _DIALLED.fullmatch(typed):
        number = read_number(typed, regions)
        if not isinstance(number, NumberProblem):
            yield LookedFor("number", number)
    numbered = _NUMBERED.fullmatch(typed)
    if numbered and int(numbered[1]) <= LARGEST_ID:
        yield LookedFor("id", numbered[1])
    if typed and " " not in typed:
        yield LookedFor("ticket", typed)
    if _WORD.search(typed):
        yield LookedFor("words", typed)


def found_line(body: str, words: str) -> list[Piece]:
    """A line of a message, cut around the first of the words, in pieces of which those are marked that are one of
    them."""
    wanted = {word.casefold() for word in _WORD.findall(re.sub(r"(?:^|\s)-\S+", " ", words))} - {"or"}
    line = " ".join(body.split())
    hits = [hit for hit in _WORD.finditer(line) if hit[0].casefold() in wanted]
    start = max(0, hits[0].start() - LONGEST_FOUND // 3) if hits and len(line) > LONGEST_FOUND else 0
    end = min(len(line), start + LONGEST_FOUND)
    pieces, at = [], start
    for hit in hits:
        if hit.end() > end:
            break
        pieces += [Piece(line[at : hit.start()], False), Piece(hit[0], True)]
        at = hit.end()
    pieces = [Piece("…", False)] * (start > 0) + pieces + [Piece(line[at:end] + "…" * (end < len(line)), False)]
    return [piece for piece in pieces if piece.text]

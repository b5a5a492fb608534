"""What a text will be on the air, while it is typed: cut by the same code as the sending."""

from dataclasses import dataclass

from smsdesk.domain.price import SegmentPrice
from smsdesk.domain.segments import CostlyCharacter, Segments, costly_characters, segment
from smsdesk.domain.send import MOST_PARTS

MOST_NAMED = 6
"""Kinds of costly characters that are named; a text in another script has them all over."""
_HOLDS = {("gsm7", False): 160, ("gsm7", True): 153, ("ucs2", False): 70, ("ucs2", True): 67}


@dataclass(frozen=True, slots=True)
class Preview:
    """A text's parts, encoding and price, and what it would be with its costly characters swapped."""

    parts: int
    encoding: str
    left: int
    """Characters that the last part still takes."""
    price: str | None
    currency: str | None
    costly: tuple[CostlyCharacter, ...]
    """Each kind once, in the order in which they come."""
    swaps: dict[str, str]
    """What to write for those that can be swapped; empty where nothing would be won."""
    swapped_parts: int
    swapped_encoding: str
    too_long: bool


def preview(body: str, price: SegmentPrice | None) -> Preview | None:
    """The preview of a text; None where there is nothing yet."""
    if not body.strip():
        return None
    cut, costly = segment(body), costly_characters(body)
    kinds = {one.character: one for one in costly}
    swaps = {character: one.swap for character, one in kinds.items() if one.swap is not None}
    after = segment("".join(swaps.get(character, character) for character in body))
    if (after.encoding, len(after.parts)) == (cut.encoding, len(cut.parts)):
        swaps = {}
    return Preview(
        len(cut.parts), cut.encoding, _left(cut),
        price.of(len(cut.parts)) if price else None, price.currency if price else None,
        tuple(kinds.values())[:MOST_NAMED], swaps, len(after.parts), after.encoding, len(cut.parts) > MOST_PARTS,
    )  # fmt: skip


def _left(cut: Segments) -> int:
    several = len(cut.parts) > 1
    last = segment(cut.parts[-1])
    used = last.units if last.encoding == cut.encoding else len(cut.parts[-1].encode("utf-16-be")) // 2
    return max(0, _HOLDS[cut.encoding, several] - used)

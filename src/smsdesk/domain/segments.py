"""Placeholder for the shape; see the functions' promises."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segments:
    """A text as it goes on the air: its encoding and the characters of each part."""

    encoding: str  # "gsm7" or "ucs2"
    parts: tuple[str, ...]
    units: int  # septets or UTF-16 units in all, headers not counted

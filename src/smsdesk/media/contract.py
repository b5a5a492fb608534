"""What every place that keeps files promises."""

from typing import Protocol

FRESH = 3600.0
"""Seconds in which a file that was put is not removed."""


class StoreAway(Exception):
    """The place that keeps files cannot be reached, or does not take them; the text says why. Worth another try."""


class MediaStore(Protocol):
    """Keeps files under keys of `domain.media.content_key`. What is under a key never changes."""

    async def put(self, key: str, content: bytes) -> None:
        """Keeps a file. When this returns, it outlives a crash. Raises StoreAway."""

    async def get(self, key: str) -> bytes | None:
        """The file; None where there is none under this key. Raises StoreAway."""

    async def remove(self, key: str) -> bool:
        """Removes a file, or finds that there is none. False, and it stays, where it was put within the last hour: who
        put it may be about to write down that he has. Raises StoreAway."""

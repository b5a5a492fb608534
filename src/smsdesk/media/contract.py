"""What every place that keeps files promises."""

from typing import Protocol


class StoreAway(Exception):
    """The place that keeps files cannot be reached, or does not take them; the text says why. Worth another try."""


class MediaStore(Protocol):
    """Keeps files under keys of `domain.media.content_key`. What is under a key never changes."""

    async def put(self, key: str, content: bytes) -> None:
        """Keeps a file. When this returns, it outlives a crash. Raises StoreAway."""

    async def get(self, key: str) -> bytes | None:
        """The file; None where there is none under this key. Raises StoreAway."""

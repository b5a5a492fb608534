"""What happened, in order, as far back as there is room: pure bookkeeping."""

from typing import Generic, TypeVar

T = TypeVar("T")
_EVICT_SHARE = 64


class Journal(Generic[T]):
    """Entries with indexes from 1 that are never used again. Beyond `limit` the oldest 64th go."""

    __slots__ = ("_entries", "last_index", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.last_index = 0
        self._entries: list[T] = []

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: T) -> list[T]:
        """Keeps one more, under the index `last_index`; returns those that had to go for it."""
        self.last_index += 1
        self._entries.append(entry)
        if len(self._entries) <= self.limit:
            return []
        going = self._entries[: max(1, self.limit // _EVICT_SHARE)]
        del self._entries[: len(going)]
        return going

    def after(self, index: int, limit: int) -> list[T]:
        """Up to `limit` kept entries with a greater index, oldest first."""
        return self.page(index, limit)[0]

    def page(self, index: int, limit: int) -> tuple[list[T], int]:
        """As `after`, with the index of the last of them, or `index` where there is none."""
        first = self.last_index - len(self._entries)
        start = max(0, index - first)
        entries = self._entries[start : start + limit]
        return entries, first + start + len(entries) if entries else index

    def clear(self) -> int:
        """Forgets all entries, and no index; returns how many."""
        gone = len(self._entries)
        self._entries.clear()
        return gone

"""The deliver_sm that wait for a line: pure queues, one for each system and one for whoever comes."""

from collections import deque
from dataclasses import dataclass

from smsdesk.lab.handsets import HandsetReply


@dataclass(slots=True)
class Outgoing:
    """One deliver_sm on its way to an ESME."""

    body: bytes
    """The encoded PDU without its header, the same each time that it is sent."""
    system_id: str | None
    """Who gets it; None is whoever can receive."""
    reply: HandsetReply | None = None
    """The reply that it is a part of; None for a receipt."""
    parts: int = 1
    """How many parts of the reply it carries; over 1 for a message_payload."""
    sends: int = 0


class Outbox:
    """Keeps at most `limit` in all: beyond it the oldest of the same system go, and `evicted` counts them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.evicted = 0
        self._queues: dict[str | None, deque[Outgoing]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def holds(self, system_id: str | None) -> bool:
        """Whether something waits for this system in particular."""
        return bool(self._queues.get(system_id))

    def put(self, outgoing: Outgoing) -> None:
        """Queues behind all others."""
        queue = self._queues.setdefault(outgoing.system_id, deque())
        queue.append(outgoing)
        self._length += 1
        if self._length > self.limit:
            queue.popleft()
            self._length -= 1
            self.evicted += 1

    def put_back(self, outgoing: Outgoing) -> None:
        """Queues before all others: it was sent already, and not answered."""
        self._queues.setdefault(outgoing.system_id, deque()).appendleft(outgoing)
        self._length += 1

    def take(self, system_id: str) -> Outgoing | None:
        """The next one for this system, or else for anybody; None when nothing waits."""
        queue = self._queues.get(system_id) or self._queues.get(None)
        if not queue:
            return None
        self._length -= 1
        return queue.popleft()

    def clear(self) -> None:
        """Forgets all that waits."""
        self._queues.clear()
        self._length = self.evicted = 0

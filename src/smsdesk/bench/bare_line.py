"""Our SMPP client alone against the lab: no queue, no database, outcomes and receipts only counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from smsdesk.bench.rig import BenchError
from smsdesk.carriers.contract import Accepted, OutboundText, Outcome, Receipt, Reply
from smsdesk.carriers.smpp.carrier import SmppCarrier
from smsdesk.carriers.smpp.config import Config
from smsdesk.domain.segments import segment

LIMIT = 120.0
"""Seconds after which a run that does not end is given up."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass
class _Counting:
    """A sink that hands over what is left whenever the line has room."""

    carrier: SmppCarrier
    texts: list[OutboundText]
    accepted: int = 0
    receipts: int = 0
    other: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._left = iter(self.texts)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done.set_result(None)

    def room(self) -> None:
        while (room := self.carrier.room()) and (batch := list(islice(self._left, room))):
            self.carrier.send(batch)

    def outcome(self, text: OutboundText, outcome: Outcome) -> None:
        if isinstance(outcome, Accepted):
            self.accepted += 1
        else:
            self.other = f"text {text.text_id}: {outcome}"
            self.over.set()

    def receipt(self, receipt: Receipt) -> asyncio.Future[None]:
        self.receipts += 1
        if self.receipts == len(self.texts):
            self.over.set()
        return self._done

    def reply(self, reply: Reply) -> asyncio.Future[None]:
        return self._done


async def feed(port: int, source: str, numbers: Sequence[str], message: str) -> None:
    """Sends the message to every number over one line with a window of 50, and waits for the last receipt.

    Raises BenchError where a text was not taken, or a receipt did not come.
    """
    config = Config(host="127.0.0.1", port=port, system_id="bench", password="", window=50)
    carrier = SmppCarrier(1, "bare", config)
    texts = [OutboundText(1, n, 1, source, number, segment(message), NEVER) for n, number in enumerate(numbers)]
    sink = _Counting(carrier, texts)
    line = asyncio.create_task(carrier.run(sink))
    try:
        await asyncio.wait_for(sink.over.wait(), LIMIT)
    except TimeoutError:
        raise BenchError(
            f"the bare line: {sink.accepted} of {len(texts)} texts were taken and {sink.receipts} receipts came in "
            f"{LIMIT:g} s; it was {carrier.state()}"
        ) from None
    finally:
        line.cancel()
        await asyncio.wait({line})
    if sink.other:
        raise BenchError(f"the bare line: {sink.other}")

"""A line of ours in conversation with an SMSC of others."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from smsdesk.carriers.contract import Accepted
from tests.carriers.smpp.rig import Ledger, Running, outbound
from tests.kit.processes import until
from tests.peers.cases import NUMBER
from tests.peers.foreign import PATIENCE, ForeignSmsc, Submit, Wire


@dataclass(frozen=True)
class Talk:
    """Both ends and the wire between."""

    smsc: ForeignSmsc
    wire: Wire
    running: Running

    @property
    def ledger(self) -> Ledger:
        """What the line has told."""
        return self.running.ledger

    async def until_room(self, texts: int) -> None:
        """Waits until the line takes so many texts."""

        async def roomy() -> bool:
            return self.running.carrier.room() >= texts

        await until(roomy, PATIENCE, f"room for {texts} texts")

    async def until_heard(self, command_id: int, times: int) -> None:
        """Waits until so many PDUs of ours of a kind have gone over the wire."""

        async def heard() -> bool:
            return self.wire.count(command_id) >= times

        await until(heard, PATIENCE, f"{times} PDUs 0x{command_id:X}")

    async def until_down(self) -> None:
        """Waits until the line knows that it is down."""

        async def down() -> bool:
            return not self.running.carrier.up()

        await until(down, PATIENCE, "the line is down")

    async def send(self, text_id: int, body: str = "a text", source: str = NUMBER) -> list[Submit]:
        """Hands a text over; gives its parts as the SMSC has them, in their order."""
        await self.running.bound()
        text = outbound(text_id, body, source)
        self.running.carrier.send([text])
        parts = [await self.smsc.submitted() for _ in text.segments.parts]
        return sorted(parts, key=lambda part: part.short_message[:6])  # as smpp34 hands them out in any order

    async def assert_sends(self, text_id: int) -> None:
        """A text goes over the line."""
        (part,) = await self.send(text_id)
        part.accept(f"m{text_id}")
        assert await self.ledger.outcome_of(text_id) == Accepted((f"m{text_id}",))


Talks = Callable[..., AbstractAsyncContextManager[Talk]]
"""Opens a conversation, with settings of either side."""

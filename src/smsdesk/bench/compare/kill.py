"""kill -9 of what accepts, under load; then the phones tell what became of every text that was answered 2xx."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from smsdesk.bench.compare.lab import ComparedLab
from smsdesk.bench.compare.peers.peer import Kind, Peer
from smsdesk.bench.compare.peers.phones import phone
from smsdesk.bench.load import LAST_CHUNK, content_length
from smsdesk.bench.rig import BenchError, run

CONNECTIONS = 64
RETRY = 0.05
"""Seconds before a connection that was lost or refused is tried again."""
LIMIT = 120.0
"""Seconds after which a load that does not end is given up."""
CALM = 2.0
"""Seconds without an arrival once all are there, in which a second copy would come."""
LOOK = 0.2


class Kill(msgspec.Struct, frozen=True):
    """What became of the texts. `answered` with 2xx; `lost` of them reached no phone; `listed` of these are shown to
    the operator as of an unknown fate; `doubled` phones got theirs more than once, whether it was answered or not."""

    asked: int
    answered: int
    lost: int
    listed: int
    doubled: int


@dataclass(slots=True)
class _Load:
    """Requests over connections that come back when they are lost; each is asked once, answered or not."""

    kind: Kind
    peer: Peer
    texts: int
    next: int = 0
    answered: list[int] = field(default_factory=list)
    third: asyncio.Event = field(default_factory=asyncio.Event)
    """A third of all is answered."""

    async def hold_line(self) -> None:
        while self.next < self.texts:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.peer.port)
            except OSError:
                await asyncio.sleep(RETRY)
                continue
            try:
                await self._ask(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(RETRY)
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.next < self.texts:
            number, self.next = self.next, self.next + 1
            writer.write(self.peer.request(number))
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4].lower()
            length = content_length(head)
            if length is None:
                await reader.readuntil(LAST_CHUNK)
            else:
                await reader.readexactly(length)
            if head[9:10] == b"2":
                self.answered.append(number)
                if len(self.answered) * 3 >= self.texts:
                    self.third.set()
            else:
                await asyncio.sleep(RETRY)

    async def strike(self) -> None:
        """Kills when a third is answered, starts again."""
        await self.third.wait()
        await asyncio.to_thread(self.peer.kill)
        await asyncio.to_thread(self.peer.restart)

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.strike())
                for _ in range(CONNECTIONS):
                    group.create_task(self.hold_line())
        except* BenchError as several:
            raise BenchError(f"{self.kind.name} does not come back: {several.exceptions[0]}") from None


def kill_under_load(kind: Kind, peer: Peer, lab: ComparedLab, texts: int) -> Kill:
    """Sends so many texts, kills in between, and counts. Raises BenchError where it does not come back."""
    lab.clear()
    work = _Load(kind, peer, min(texts, kind.most_texts))
    try:
        run(asyncio.wait_for(work.run(), LIMIT))
    except TimeoutError:
        raise BenchError(
            f"{kind.name}: {len(work.answered)} of {work.texts} requests were answered in {LIMIT:g} s, with a kill"
        ) from None
    wanted = {phone(number) for number in work.answered}
    arrived = Counter(_settled(lab, wanted, kind.quiet))
    lost = sorted(wanted - arrived.keys())
    doubled = sum(count > 1 for count in arrived.values())
    return Kill(work.texts, len(wanted), len(lost), peer.held(lost) if lost else 0, doubled)


def _settled(lab: ComparedLab, wanted: set[str], patience: float) -> list[str]:
    """What has arrived when nothing more came for so many seconds."""
    count, since = -1, time.monotonic()
    while True:
        now = lab.stats().texts
        if now != count:
            count, since = now, time.monotonic()
        quiet = time.monotonic() - since
        if quiet > patience or (quiet > CALM and wanted <= set(lab.numbers())):
            return lab.numbers()
        time.sleep(LOOK)

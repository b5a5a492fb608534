"""An SMPP line as a carrier: keeps one session up, and comes back when it falls."""

import asyncio
import os
import random as chance
import time
from collections.abc import Callable, Sequence

import structlog
from structlog.typing import FilteringBoundLogger

from smsdesk.carriers.contract import OutboundText, Sink
from smsdesk.carriers.smpp.config import Config
from smsdesk.carriers.smpp.session import Line, Session
from smsdesk.carriers.smpp.timers import Backoff, Throttle

_DRAIN = 4.0
"""Seconds for open answers when the line is closed; with the unbind it stays under the contract's five."""


class SmppCarrier:
    """A line to an SMSC over SMPP 3.4, as `contract.Carrier` promises."""

    def __init__(
        self,
        tenant_id: int,
        name: str,
        config: Config,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chance.random,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`clock` gives seconds that only grow, `random` numbers in 0..1."""
        self._name = name
        self._config = config
        self._clock = clock
        self._random = random
        self._log: FilteringBoundLogger = (log or structlog.get_logger()).bind(tenant_id=tenant_id, carrier=name)
        self._throttle = Throttle(config.throttle_first, config.throttle_longest)
        self._session: Session | None = None
        self._state = "down: not started"

    def room(self) -> int:
        """Texts that the line would put on the wire now."""
        return self._session.room() if self._session else 0

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Puts texts on the wire; what cannot go comes back as `Unsent`, perhaps before this returns."""
        if self._session is None:
            raise RuntimeError("send() before run(): there is no sink for the outcomes")
        self._session.send(texts)

    def state(self) -> str:
        """One line for people."""
        if self._session is None or not self._session.bound:
            return self._state
        rest = self._throttle.remaining(self._clock())
        return f"bound, slowed for {rest:.1f} s" if rest else "bound"

    async def run(self, sink: Sink) -> None:
        """Keeps the line up until cancelled, then drains and unbinds in at most five seconds."""
        line = Line(self._config, sink, self._clock, self._log, self._throttle)
        backoff = Backoff(self._config.reconnect_first, self._config.reconnect_longest, self._random)
        pause = 0.0
        while True:
            session = self._session = Session(line, f"{self._name}/{int(self._random() * 2**40):010x}")
            why, lived = await self._serve(session)
            if lived > pause:
                backoff.reset()
            pause = backoff.pause()
            self._state = f"down: {why}"
            self._log.warning("smpp line down", why=why, retry_in=round(pause, 2))
            await asyncio.sleep(pause)

    async def _serve(self, session: Session) -> tuple[str, float]:
        """Connects, binds and stays: gives why it ended, and for how many seconds it was bound."""
        self._state = "connecting"
        try:
            trouble = await self._open(session)
            if trouble:
                return trouble, 0.0
            since = self._clock()
            self._log.info("smpp line bound")
            why = await asyncio.shield(session.closed)
            return why, self._clock() - since
        except asyncio.CancelledError:
            self._state = "down: closed"
            await session.drain(_DRAIN)
            raise

    async def _open(self, session: Session) -> str:
        """Gives what went wrong, or an empty string."""
        host, port, limit = self._config.host, self._config.port, self._config.connect_timeout
        try:
            async with asyncio.timeout(limit):
                await asyncio.get_running_loop().create_connection(lambda: session, host, port)
                return await asyncio.shield(session.opened)
        except TimeoutError:
            trouble = f"no answer in {limit:g} s"
        except OSError as error:
            # asyncio words the error around host and port, which the reader of a state knows
            trouble = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
        session.close(trouble)
        return trouble

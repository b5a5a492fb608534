"""An SMPP carrier: its lines, and how texts are spread over them."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from smsdesk.carriers.contract import Doubt, LookUp, OutboundText, Sink, Unknown, Unpaced, Unsent
from smsdesk.carriers.smpp.account import Account, Surroundings
from smsdesk.carriers.smpp.binding import Binding
from smsdesk.carriers.smpp.config import Bind, Config
from smsdesk.carriers.smpp.handshake import Role
from smsdesk.carriers.smpp.outbind import Outbind
from smsdesk.carriers.smpp.outcomes import read_meanings
from smsdesk.carriers.smpp.query import look_up
from smsdesk.carriers.smpp.session import Session
from smsdesk.carriers.smpp.timers import Flow
from smsdesk.carriers.smpp.tls import tls_context

_ROLES: dict[Bind, tuple[Role, ...]] = {
    "transceiver": ("transceiver",),
    "transmitter": ("transmitter",),
    "receiver": ("receiver",),
    "pair": ("transmitter", "receiver"),
}


class SmppCarrier:
    """Lines to an SMSC over SMPP 3.4, as `contract.Carrier` promises."""

    def __init__(self, tenant_id: int, name: str, config: Config, **around: Any) -> None:
        """`around` are the fields of `Surroundings`. ValueError where a file of TLS cannot be used."""
        self._name = name
        self._config = config
        self._around = Surroundings(**around)
        self._log = self._around.log.bind(tenant_id=tenant_id, carrier=name)
        self._flow = Flow(config.throttle_first, config.throttle_longest)
        self._tls = tls_context(config)
        self._sink: Sink | None = None
        self._bindings: list[Binding] = []
        self._outbind: Outbind | None = None

    def room(self) -> int:
        """Texts that the lines would put on the wire now."""
        rooms = [session.room() for session in self._sessions()]
        # The lines slow together: what one of them may send is not there for the next.
        return min(sum(rooms), self._flow.free(self._around.clock())) if len(rooms) > 1 else sum(rooms)

    def send(self, texts: Sequence[OutboundText]) -> None:
        """Puts texts on the wire, spread over the lines that have room; what cannot go comes back as `Unsent`, perhaps
        before this returns."""
        if self._sink is None:
            raise RuntimeError("send() before run(): there is no sink for the outcomes")
        rooms = sorted(((session.room(), session) for session in self._sessions()), key=lambda each: each[0])
        sent = 0
        for place, (room, session) in enumerate(rooms):
            share = min(room, math.ceil((len(texts) - sent) / (len(rooms) - place)))
            if share:
                session.send(texts[sent : sent + share])
                sent += share
        for text in texts[sent:]:
            self._sink.outcome(text, Unsent("the send window is full"))

    def up(self) -> bool:
        """Whether a line is bound that texts may leave over."""
        return any(session.sends for session in self._sessions())

    def state(self) -> str:
        """One line for people."""
        bindings = self._bindings
        bound = sum(binding.bound for binding in bindings)
        words = (
            [("bound" if len(bindings) == 1 else f"bound {bound} of {len(bindings)}") + self._slowed()] if bound else []
        )
        words += dict.fromkeys(_missing(binding, self._config.bind) for binding in bindings if not binding.bound)
        if self._outbind is not None:
            others = sum(session.bound for session in self._outbind.sessions)
            words += [f"{others} bound by outbind"] if others else []
            words += [self._outbind.trouble] if self._outbind.trouble else []
        return "; ".join(words) or "down: not started"

    def _slowed(self) -> str:
        now = self._around.clock()
        if rest := self._flow.rest(now):
            return f", slowed for {rest:.1f} s"
        rate = self._flow.rate(now)
        return "" if math.isinf(rate) else f", slowed to {rate:.1f} segments a second"

    async def look_up(self, doubt: Doubt) -> LookUp:
        """Asks with query_sm what became of the parts that the carrier has named, in at most `response_timeout`."""
        if not self._config.query:
            return Unknown("query_sm is switched off for this carrier")
        session = next((session for session in self._sessions() if session.sends), None)
        if session is None:
            return Unknown("no line is bound that could ask")
        return await look_up(doubt, self._config, session.ask)

    async def run(self, sink: Sink) -> None:
        """Keeps the lines up until cancelled, then drains and unbinds them all in at most five seconds."""
        self._sink = sink
        account = self._account(sink)
        roles = _ROLES[self._config.bind] * self._config.lines
        self._bindings = [Binding(account, role, self._tls) for role in roles]
        runs = [binding.run() for binding in self._bindings]
        if self._config.outbind_port:
            self._outbind = Outbind(account)
            runs.append(self._outbind.run())
        tasks = [asyncio.ensure_future(run) for run in runs]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)  # a second cancelling cuts all drains short
        raise next(fault for fault in ended if isinstance(fault, Exception))

    def _account(self, sink: Sink) -> Account:
        around = self._around
        return Account(
            carrier=self._name,
            config=self._config,
            sink=sink,
            clock=around.clock,
            now=around.now,
            random=around.random,
            log=self._log,
            flow=self._flow,
            meanings=read_meanings(self._config.status_reasons),
            pace=None if isinstance(around.pace, Unpaced) else around.pace,
        )

    def _sessions(self) -> list[Session]:
        sessions = [binding.session for binding in self._bindings if binding.session is not None]
        return sessions + list(self._outbind.sessions) if self._outbind else sessions


def _missing(binding: Binding, bind: Bind) -> str:
    words = f"down: {binding.trouble}" if binding.trouble else "connecting"
    return f"{binding.role} {words}" if bind == "pair" else words

"""Where an SMSC connects to us and asks for a bind (outbind, SMPP 3.4 sections 2.2.1 and 4.1.7)."""

import asyncio

from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.binding import DRAIN
from smsdesk.carriers.smpp.handshake import Role
from smsdesk.carriers.smpp.session import Session
from smsdesk.carriers.smpp.timers import Backoff

_MOST = 20
"""Connections at a time; each more is closed at once."""


class Outbind:
    """Listens while the carrier runs. What it binds on such a connection is a session like any other."""

    def __init__(self, account: Account) -> None:
        self.sessions: dict[Session, None] = {}
        """Those that are connected, in the order of their coming."""
        self.trouble = ""
        """Why it does not listen."""
        self._account = account

    async def run(self) -> None:
        """Listens until cancelled, then drains its sessions."""
        config, log = self._account.config, self._account.log
        backoff = Backoff(config.reconnect_first, config.reconnect_longest, self._account.random)
        loop = asyncio.get_running_loop()
        while True:
            try:
                server = await loop.create_server(self._accept, config.outbind_host, config.outbind_port)
                break
            except OSError as error:
                self.trouble = f"no outbind: {error.strerror or error}"
                log.error("smpp outbind port cannot be had", why=self.trouble)
            await asyncio.sleep(backoff.pause())
        self.trouble = ""
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            await asyncio.gather(*(session.drain(DRAIN) for session in self.sessions))

    def _accept(self) -> asyncio.Protocol:
        if len(self.sessions) >= _MOST:
            return _Closed()
        # An SMSC asks because it has something for us: a receiver, unless one session does both.
        role: Role = "transceiver" if self._account.config.bind == "transceiver" else "receiver"
        session = Session(self._account, role, limit=self._account.limit(), outbind=True)
        self.sessions[session] = None
        session.opened.add_done_callback(self._opened)
        session.closed.add_done_callback(lambda closed: self._closed(session, closed))
        return session

    def _opened(self, opened: asyncio.Future[str]) -> None:
        if not opened.result():
            self._account.log.info("smpp line bound by outbind")

    def _closed(self, session: Session, closed: asyncio.Future[str]) -> None:
        self.sessions.pop(session, None)
        self._account.log.warning("smpp outbind line down", why=closed.result())


class _Closed(asyncio.Protocol):
    """Takes a connection and closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

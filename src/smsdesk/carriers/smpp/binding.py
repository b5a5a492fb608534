"""One session that is kept up: it connects, binds, stays, and comes back when it falls."""

import asyncio
import os
import ssl
from contextlib import suppress

from smsdesk.carriers.smpp.account import Account
from smsdesk.carriers.smpp.handshake import Role
from smsdesk.carriers.smpp.session import Session
from smsdesk.carriers.smpp.timers import Backoff

DRAIN = 4.0
"""Seconds for open answers when a line is closed; with the unbind it stays under five."""


class Binding:
    """One of the lines of a carrier, or one half of a pair."""

    def __init__(self, account: Account, role: Role, tls: ssl.SSLContext | None) -> None:
        self.role = role
        self.session: Session | None = None
        self.trouble = "not started"
        """Why it is down; empty while it connects."""
        self._account = account
        self._tls = tls
        self._limit = account.limit()  # kept over reconnecting

    @property
    def bound(self) -> bool:
        """Whether it is up."""
        return self.session is not None and self.session.bound

    async def run(self) -> None:
        """Keeps the session up until cancelled, then drains and unbinds in at most five seconds."""
        config, log = self._account.config, self._account.log
        backoff = Backoff(config.reconnect_first, config.reconnect_longest, self._account.random)
        pause = 0.0
        while True:
            session = self.session = Session(self._account, self.role, limit=self._limit)
            why, lived = await self._serve(session)
            if lived > pause:
                backoff.reset()
            pause = config.reconnect_longest if session.inactive else backoff.pause()
            self.trouble = why
            log.warning("smpp line down", why=why, role=self.role, retry_in=round(pause, 2))
            await asyncio.sleep(pause)

    async def _serve(self, session: Session) -> tuple[str, float]:
        """Connects, binds and stays: gives why it ended, and for how many seconds it was bound."""
        self.trouble = ""
        try:
            trouble = await self._open(session)
            if trouble:
                return trouble, 0.0
            since = self._account.clock()
            self._account.log.info("smpp line bound", role=self.role)
            why = await asyncio.shield(session.closed)
            return why, self._account.clock() - since
        except asyncio.CancelledError:
            self.trouble = "closed"
            await session.drain(DRAIN)
            raise

    async def _open(self, session: Session) -> str:
        """Gives what went wrong, or an empty string."""
        try:
            async with asyncio.timeout(self._account.config.connect_timeout):
                await self._connect(session)
        except TimeoutError:
            trouble = f"no connection in {self._account.config.connect_timeout:g} s"
        except OSError as error:
            trouble = _why(error)
        else:
            return await asyncio.shield(session.opened)
        session.close(trouble)
        return trouble

    async def _connect(self, session: Session) -> None:
        config, loop = self._account.config, asyncio.get_running_loop()
        name = (config.tls_server_name or config.host) if self._tls else None
        await loop.create_connection(lambda: session, config.host, config.port, ssl=self._tls, server_hostname=name)


def _why(error: OSError) -> str:
    """asyncio words its errors around host and port, which the reader of a state knows."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the carrier's certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    with suppress(ValueError, OverflowError):
        if error.errno and error.errno > 0:
            return os.strerror(error.errno).lower()
    return str(error) or "TLS: the carrier closed the connection"

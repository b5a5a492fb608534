"""An HTTP server on a free port, and a way to a CRM for one visit."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from smsdesk.crm.contract import ChatFacts, Consumer, Visit
from smsdesk.crm.http import Http, open_session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHONE, OURS = "+14155550100", "+16285550199"
CHAT = ChatFacts("acme-chat-7-1772366400", 7, Consumer(PHONE, None), "inbound", OURS, "Support/Billing", NOW)
KEY = "acme-job-9-1772366400"


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    """The app's address while the block runs."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def visiting(key: str = KEY, *, timeout: float = 5.0, longest: float = 60.0) -> AsyncIterator[Visit]:
    """A visit at NOW, of a job that was made then."""
    async with open_session() as session:
        yield visit(session, key, timeout=timeout, longest=longest)


def visit(session: aiohttp.ClientSession, key: str = KEY, *, timeout: float = 5.0, longest: float = 60.0) -> Visit:
    return Visit(Http(session, timeout, time.monotonic() + longest), key, NOW, NOW)

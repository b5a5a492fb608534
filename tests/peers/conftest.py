"""A line of ours in conversation with an SMSC of each library."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.carriers.smpp.rig import Ledger, line
from tests.peers.foreign import Wire
from tests.peers.smscs import Smpp34Smsc, TwistedProcess
from tests.peers.talk import Talk, Talks

LIBRARIES = ("smpp34", "smpp.twisted3")
"""The Rust one, and the one under Jasmin."""

CANNOT = {
    ("smpp34", "asked by enquire_link"): "its server enquires after 30 s, and cannot be asked to",
    ("smpp34", "refused once at the bind"): "its server takes every bind",
    ("smpp34", "test_more_lines_than_the_smsc_takes"): "its server takes every bind",
    ("smpp34", "a transmitter and a receiver"): "its server takes no deliver_sm_resp from a receiver",
    ("smpp34", "test_a_line_that_only_receives"): "its server takes no deliver_sm_resp from a receiver",
    ("smpp34", "a status beyond SMPP 3.4"): "its server knows the statuses of SMPP 3.4 alone",
    ("smpp34", "test_a_query_is_answered"): "its server refuses every query_sm",
}
"""What a library cannot say, by its name and the case's, and why."""

NOT_OURS = {
    "a flash text": "no text of ours is flash",
    "octets, sent": "no text of ours is binary",
}
"""What a text of ours cannot be, by the name of the case."""


@pytest.fixture(scope="session")
def twisted() -> Iterator[TwistedProcess]:
    """The process of the Twisted SMSCs."""
    with TwistedProcess().running() as process:
        yield process


@pytest.fixture(params=LIBRARIES)
def talks(request: pytest.FixtureRequest, twisted: TwistedProcess) -> Talks:
    """Opens a conversation: `async with talks(window=3) as talk`. `smsc` are settings of the Twisted one, `shown` is
    what the wire shows for TLS; the others are settings of our line."""
    case = getattr(request.node.callspec.params.get("case"), "name", request.node.originalname)
    reason = CANNOT.get((request.param, case)) or NOT_OURS.get(case)
    if reason:
        pytest.skip(f"{request.param}: {reason}")

    @asynccontextmanager
    async def talking(
        ledger: Ledger | None = None, smsc: dict[str, Any] | None = None, shown: ssl.SSLContext | None = None,
        **settings: Any,
    ) -> AsyncIterator[Talk]:  # fmt: skip
        peer = Smpp34Smsc().running() if request.param == "smpp34" else twisted.smsc(**(smsc or {}))
        async with peer as other, Wire(other.port).up(shown) as wire, line(wire.port, ledger, **settings) as running:
            yield Talk(other, wire, running)

    return talking

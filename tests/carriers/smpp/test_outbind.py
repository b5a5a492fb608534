"""An SMSC that connects to us."""

import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest

from smsdesk.carriers.contract import Accepted
from smsdesk.carriers.smpp import pdu as smpp
from tests.kit.processes import free_port

from .rig import Running, calling, line, outbound

REQUEST = smpp.Outbind(1, system_id="smsc", password="whisper")


def settings() -> dict[str, Any]:
    """A carrier whose own port nobody listens on."""
    port = free_port()
    more = {"outbind_system_id": "smsc", "outbind_password": "whisper", "reconnect_longest": 60.0}
    return {"outbind_port": port, "reconnect_first": 60.0, **more}


async def listens(running: Running) -> None:
    await running.logs("smpp line down")


async def test_an_smsc_that_asks_is_bound_to_and_counts_like_any_other() -> None:
    given = settings()
    async with line(free_port(), **given) as running:
        await listens(running)
        assert not running.carrier.up()
        async with calling(given["outbind_port"]) as peer:
            peer.send(REQUEST)
            bind = await peer.bind(smpp.BindTransceiver)
            assert (bind.system_id, bind.password) == ("acme", "hush")
            await running.bound()
            assert running.carrier.state() == "down: connection refused; 1 bound by outbind"
            assert running.carrier.up()
            running.carrier.send([outbound(1)])
            peer.take(await peer.read(smpp.SubmitSm))
            assert await running.ledger.outcome_of(1) == Accepted(("id-1",))
            peer.drop()
            await running.logs("smpp outbind line down")
            assert running.carrier.state() == "down: connection refused"


@pytest.mark.parametrize("bind", ["pair", "receiver", "transmitter"])
async def test_a_receiver_is_bound_where_no_session_does_both(bind: str) -> None:
    given = settings()
    async with line(free_port(), bind=bind, **given) as running:
        await listens(running)
        async with calling(given["outbind_port"]) as peer:
            peer.send(REQUEST)
            await peer.bind(smpp.BindReceiver)
            peer.send(smpp.DeliverSm(4, short_message=b"hi"))
            await peer.read(smpp.DeliverSmResp)
            assert [reply.body for reply in running.ledger.replies] == ["hi"]


@pytest.mark.parametrize(("system_id", "password"), [("smsc", "wrong"), ("other", "whisper"), ("", ""), ("smsc", "")])
async def test_a_stranger_gets_nothing(system_id: str, password: str) -> None:
    given = settings()
    async with line(free_port(), **given) as running:
        await listens(running)
        async with calling(given["outbind_port"]) as peer:
            peer.send(smpp.Outbind(1, system_id=system_id, password=password))
            await peer.ended()
            said = await running.logs("outbind refused")
            assert "whisper" not in said


async def test_who_does_not_ask_is_closed() -> None:
    given = settings()
    async with line(free_port(), session_init_timeout=0.1, **given) as running:
        await listens(running)
        async with calling(given["outbind_port"]) as silent, calling(given["outbind_port"]) as rude:
            rude.send(smpp.BindTransceiverResp(1))
            await silent.ended()
            await rude.ended()
            await running.logs("no outbind in 0.1 s")


async def test_no_more_than_twenty_at_a_time() -> None:
    given = settings()
    async with line(free_port(), **given) as running:
        await listens(running)
        async with AsyncExitStack() as stack:
            for _ in range(20):
                await stack.enter_async_context(calling(given["outbind_port"]))
            async with calling(given["outbind_port"]) as one_more:
                await one_more.ended()


async def test_a_port_that_cannot_be_had_is_said_and_the_line_works() -> None:
    given = settings()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", given["outbind_port"]))
        taken.listen()
        async with line(free_port(), **given) as running:
            await running.logs("smpp outbind port cannot be had")
            await listens(running)
            assert "; no outbind: " in running.carrier.state()

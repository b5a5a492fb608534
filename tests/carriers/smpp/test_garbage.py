"""Whatever an SMSC sends, the line ends or goes on; it never breaks, and no text is forgotten."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsdesk.carriers.contract import Accepted
from smsdesk.carriers.smpp import pdu as smpp
from smsdesk.carriers.smpp.codec import encode
from smsdesk.carriers.smpp.status import Status

from .rig import Smsc, line, outbound, talking

SAMPLES = [
    encode(pdu)
    for pdu in (
        smpp.SubmitSmResp(2, 0, "id-1"),
        smpp.SubmitSmResp(3, Status.RTHROTTLED),
        smpp.DeliverSm(7, esm_class=4, short_message=b"id:1 stat:DELIVRD"),
        smpp.DeliverSm(8, esm_class=0x40, short_message=b"\5\0\3\1\2\1hi", tlvs={smpp.Tag.MESSAGE_STATE: b"\2"}),
        smpp.DataSm(9, tlvs={smpp.Tag.MESSAGE_PAYLOAD: b"hi"}),
        smpp.BindTransceiverResp(1),
        smpp.BindReceiverResp(1, Status.RALYBND),
        smpp.QuerySmResp(5, 0, "1", "", 2),
        smpp.GenericNack(2, Status.RINVCMDID),
        smpp.EnquireLinkResp(99),
        smpp.UnbindResp(77),
        smpp.Outbind(1, system_id="smsc", password="x"),
        smpp.CancelSm(4, message_id="1"),
        smpp.SubmitSm(5, short_message=b"hi"),
        smpp.AlertNotification(6),
    )
]
MUTATION = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "double", "length", "none"]), st.integers(0, 200), st.integers(0, 255)
)


def mutate(octets: bytes, mutation: tuple[str, int, int]) -> bytes:
    kind, where, what = mutation
    at = where % len(octets)
    match kind:
        case "flip":
            return octets[:at] + bytes((octets[at] ^ what,)) + octets[at + 1 :]
        case "cut":
            return octets[:at]
        case "insert":
            return octets[:at] + bytes((what,)) * (1 + where % 7) + octets[at:]
        case "double":
            return octets * 2
        case "length":
            return (where * what).to_bytes(4) + octets[4:]
    return octets


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(SAMPLES), MUTATION), min_size=1, max_size=8))
def test_a_line_lives_through_any_octets(chunks: list[tuple[bytes, tuple[str, int, int]]]) -> None:
    faults: list[dict[str, Any]] = []

    async def converse() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with Smsc().listening() as smsc, line(smsc.port, reconnect_longest=0.01) as running:
            peer = await smsc.accept_bound()
            await running.bound()
            running.carrier.send([outbound(1), outbound(2, "a" * 400)])
            await peer.read(smpp.SubmitSm)
            peer.raw(b"".join(mutate(octets, mutation) for octets, mutation in chunks))
            peer.drop_after_writing()
            again = await smsc.accept_bound()
            await running.ledger.until(lambda: len(running.ledger.outcomes) == 2)
            assert sorted(number for number, _ in running.ledger.outcomes) == [1, 2]
            await running.ledger.until(lambda: running.carrier.room() or "slowed" in running.carrier.state())
            again.send(smpp.EnquireLink(3))
            assert (await again.read(smpp.EnquireLinkResp)).sequence_number == 3
            assert not running.task.done()

    asyncio.run(converse())
    assert faults == []


async def test_a_pdu_that_never_ends_does_not_keep_the_line_alive() -> None:
    """A length that is too large swallows what follows: no answer can be seen any more, however many octets come."""
    async with Smsc().listening() as smsc, line(smsc.port, enquire_link=0.05, response_timeout=0.2) as running:
        peer = await smsc.accept_bound()
        await running.bound()
        peer.raw((60_000).to_bytes(4) + (5).to_bytes(4) + bytes(8))
        async with asyncio.timeout(5):
            while "no answer to enquire_link in 0.2 s" not in str(running.logged):
                peer.raw(b"\0")
                await running.ledger.turn(0.02)
        await smsc.accept_bound()


async def test_answers_to_nothing_are_noted_and_harmless() -> None:
    async with talking() as (running, peer):
        peer.send(
            smpp.SubmitSmResp(900, 0, "x"),
            smpp.GenericNack(901, Status.RINVCMDID),
            smpp.QuerySmResp(902, 0, "x"),
            smpp.BindTransceiverResp(1),
            smpp.BindReceiverResp(1),
        )
        running.carrier.send([outbound(1)])
        peer.take(await peer.read(smpp.SubmitSm))
        assert await running.ledger.outcome_of(1) == Accepted(("id-1",))
        await running.logs("smpp answer to nothing open")
        await running.logs("smpp pdu unexpected")
        assert running.carrier.state() == "bound"


async def test_a_delivery_before_the_bind_is_refused() -> None:
    async with Smsc().listening() as smsc, line(smsc.port) as running:
        peer = await smsc.accept()
        request = await peer.read(smpp.BindTransceiver)
        peer.send(smpp.DeliverSm(5, short_message=b"hi"))
        assert await peer.read(smpp.DeliverSmResp) == smpp.DeliverSmResp(5, Status.RINVBNDSTS)
        assert running.ledger.replies == []
        peer.send(smpp.BindTransceiverResp(request.sequence_number))
        await running.bound()

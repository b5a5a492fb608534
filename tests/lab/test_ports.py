"""The TLS port, and the SMSC that connects to an ESME by itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from lab.rig import HANDSET, PATIENCE, Esme, Rig, running
from smsdesk.carriers.smpp.pdu import BindReceiver, BindTransceiver, Outbind


async def trusting(rig: Rig) -> ssl.SSLContext:
    """Trusts nothing but the certificate that the lab offers."""
    answer = await rig.http.get("/certificate")
    assert answer.status_code == 200
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=answer.text)
    return context


async def test_smpp_over_tls_beside_smpp() -> None:
    async with running(smpp_tls_port=0) as rig:
        context = await trusting(rig)
        port = rig.lab.smpp_tls_port
        for host in ("127.0.0.1", "localhost"):
            esme = Esme(*await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host))
            assert (await esme.bind()).command_status == 0
            assert (await esme.submit(b"over TLS", registered_delivery=1)).command_status == 0
            assert b"DELIVRD" in (await esme.delivered()).short_message
            await esme.close()
        assert (await (await rig.bound()).submit(b"over TCP")).command_status == 0
        assert await rig.bodies() == ["over TLS", "over TLS", "over TCP"]


async def test_nobody_who_trusts_others_alone_connects() -> None:
    async with running(smpp_tls_port=0) as rig:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", rig.lab.smpp_tls_port, ssl=ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await asyncio.open_connection(
                "127.0.0.1", rig.lab.smpp_tls_port, ssl=await trusting(rig), server_hostname="carrier.example"
            )


async def test_a_reset_on_the_tls_port_is_one() -> None:
    async with running(smpp_tls_port=0) as rig:
        esme = Esme(
            *await asyncio.open_connection(
                "127.0.0.1", rig.lab.smpp_tls_port, ssl=await trusting(rig), server_hostname="localhost"
            )
        )
        await esme.bind()
        esme.send(esme.submit_sm(b"#reset"))
        assert await esme.next() is None
        assert await rig.bodies() == ["#reset"]


async def test_no_certificate_without_the_port(rig: Rig) -> None:
    assert (await rig.http.get("/certificate")).status_code == 404


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, "asyncio.Queue[Esme]"]]:
    """An ESME that waits for an SMSC to connect."""
    connected: asyncio.Queue[Esme] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: connected.put_nowait(Esme(*ends)), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], connected


async def order(rig: Rig, **where: object) -> httpx.Response:
    return await rig.http.post("/outbind", json=where)


@pytest.mark.parametrize("kind", [BindReceiver, BindTransceiver])
async def test_an_outbind_and_the_bind_that_follows(rig: Rig, kind: type) -> None:
    async with listening() as (port, connected):
        answer = await order(rig, host="127.0.0.1", port=port, system_id="carrier", password="secret")
        assert answer.status_code == 201, answer.text
        esme = await asyncio.wait_for(connected.get(), PATIENCE)
        asked = await esme.next()
        assert isinstance(asked, Outbind)
        assert (asked.system_id, asked.password) == ("carrier", "secret")
        assert (await esme.bind(kind)).command_status == 0
        [line] = await rig.get("/lines")
        assert (line["line"], line["system_id"]) == (answer.json()["line"], "acme")
        await rig.type("over the line that the SMSC opened")
        assert (await esme.delivered()).short_message == b"over the line that the SMSC opened"
        [reply] = await rig.get(f"/handsets/{HANDSET}/replies")
        assert reply["sends"] == 1
        await esme.close()


async def test_an_outbind_to_nobody_and_to_a_foreign_host(rig: Rig) -> None:
    async with listening() as (port, _):
        pass
    nobody = await order(rig, host="127.0.0.1", port=port)
    assert (nobody.status_code, nobody.json()["message"][:20]) == (400, "nobody listens on 12")
    foreign = await order(rig, host="192.0.2.7", port=2775)
    assert foreign.status_code == 400
    assert foreign.json() == {"message": "192.0.2.7 is not this machine: start the lab with --allow-host 192.0.2.7"}

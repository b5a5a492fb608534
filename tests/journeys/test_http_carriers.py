"""The whole product over the HTTP carriers, set up as their pages in docs/carriers show, with the lab as each vendor.

One server and one lab serve all of them, each with a number of its own; callbacks come by a road that can be closed.
"""

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.kit.api import OURS
from tests.kit.database import Clones
from tests.kit.demo_setup import Client, apply, client_of, consumer, set_up
from tests.kit.lab import Handsets, handsets_of
from tests.kit.processes import serving, until
from tests.lab.process import LabProcess
from tests.media import samples

from .test_first_text import has_status, says
from .vendors import VENDORS, Vendor, both_sides, variables

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 20.0
UNASKED, ASKED_WITHIN = 12.0, 70.0
"""Seconds: a carrier is asked about a doubtful text after 15, in rounds of 5, and again where it cannot say yet."""
LONG = "{one} two € ~" * 24
"""Three parts, since four of its characters count twice."""
STAND_IN = {"tenant": "acme", "numbers": [{"number": OURS, "fallbacks": ["twilio"]}]}
EACH = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
PHONES = map(consumer, itertools.count(100))


@dataclass
class Road:
    """The way from the vendors to the server: a proxy that lets nothing on while it is closed."""

    port: int = 0
    server_port: int = 0
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def built(self) -> AsyncIterator["Road"]:
        self.is_open.set()
        server = await asyncio.start_server(self._carry, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Nothing passes within."""
        self.is_open.clear()
        try:
            yield
        finally:
            self.is_open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.server_port)
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while octets := await reader.read(65536):
                await self.is_open.wait()
                writer.write(octets)
        writer.close()


@dataclass
class Scene:
    """The server, the phones behind all vendors, and the road between."""

    client: Client
    handsets: Handsets
    road: Road
    folder: Path
    database: str

    async def send(self, vendor: Vendor, phone: str, body: str) -> dict[str, Any]:
        """The chat of a text that was accepted."""
        sent = await self.client.send(phone, body, outbound_number=vendor.number)
        assert sent.status == 200, sent.body
        chat: dict[str, Any] = sent.json
        return chat

    async def told(self, vendor: Vendor, phone: str, body: str) -> dict[str, Any]:
        """The same, once it is known to be delivered."""
        chat = await self.send(vendor, phone, body)
        await says(self.client, chat["id"], body, "delivered")
        return chat

    async def trace(self, chat: dict[str, Any]) -> dict[str, Any]:
        """All that is known of the chat's first text."""
        answer = await self.client.call("GET", f"/texts/{chat['message_id']}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    async def reply_is_taken(self, phone: str) -> None:
        """Every copy of what was typed last is answered for."""

        async def answered() -> bool:
            return bool((await self.handsets.call("GET", f"/handsets/{phone}/replies"))[-1]["state"] == "answered")

        await until(answered, LIMIT, "the reply is taken")

    async def forge(self, vendor: Vendor, **forgery: Any) -> list[int]:
        """How the server answered a callback that the lab was asked for."""
        said = await self.handsets.call("POST", f"/vendors/{vendor.name}/forge", json=forgery)
        answers: list[int] = said["answers"]
        return answers

    @asynccontextmanager
    async def wrong(self, **faults: Any) -> AsyncIterator[None]:
        """The lab has these faults within."""
        await self.handsets.faults(**faults)
        try:
            yield
        finally:
            await self.handsets.faults()


@pytest.fixture(scope="module")
def shared_database(database_clones: Clones) -> Iterator[str]:
    """One for all tests here."""
    name = database_clones.create()
    yield database_clones.dsn(name)
    database_clones.drop(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    lab: LabProcess, shared_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """All vendors connected, and beside them the number of the other journeys, over SMPP."""
    database, folder = shared_database, tmp_path_factory.mktemp("carriers")
    async with AsyncExitStack() as stack:
        handsets = await stack.enter_async_context(handsets_of(lab))
        telnyx_key = (await handsets.call("GET", "/vendors/telnyx/public_key"))["public_key"]
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in variables(telnyx_key).items():
            patch.setenv(name, value)
        token = await set_up(database, folder, lab.smpp_port, when_active="append")
        road = await stack.enter_async_context(Road().built())
        for vendor in VENDORS:
            document, account = both_sides(vendor, f"http://127.0.0.1:{lab.http_port}", road.port)
            await apply(database, folder, json.dumps(document))
            await handsets.call("PUT", f"/vendors/{vendor.name}/account", json=account)
        await apply(database, folder, json.dumps(STAND_IN))
        server = await stack.enter_async_context(serving(folder, database=database))
        road.server_port = urlsplit(server.base_url).port or 0
        await apply(database, folder, json.dumps({"tenant": "acme", "settings": {"public_url": server.base_url}}))
        client = await stack.enter_async_context(client_of(server.base_url, token))
        yield Scene(client, handsets, road, folder, database)
        bodies = [(text["number"], text["body"]) for text in await handsets.all_texts()]
        assert len(bodies) == len(set(bodies)), "a text is on a phone twice"
        assert await server.stop() == 0, server.errors
        assert '"level": "error"' not in server.errors, server.errors


@EACH
async def test_a_conversation(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.told(vendor, phone, "Grüße & = ¿qué?")
    (shown,) = await scene.handsets.texts(phone)
    assert (shown["source"], shown["body"], shown["via"]) == (vendor.number, "Grüße & = ¿qué?", vendor.name)
    for body in ("Who is this? ☎ & more", LONG + "?"):
        await scene.handsets.reply(phone, body, vendor.number)
        assert (await says(scene.client, chat["id"], body))["sender"] == "end_user"
    queued = await has_status(scene.client, chat["id"], "queued")
    assert queued["menu_path"]["name"] == "Support/Orders"


@EACH
async def test_a_long_text(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.told(vendor, phone, LONG)
    (shown,) = await scene.handsets.texts(phone)
    assert (shown["body"], shown["parts"]) == (LONG, 3)
    trace = await scene.trace(chat)
    assert (trace["segments"], trace["delivered_segments"]) == (3, 3)


@EACH
async def test_a_stop_that_comes_twice_is_confirmed_once(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.told(vendor, phone, "hello")
    async with scene.wrong(repeat_reply=1.0):
        await scene.handsets.reply(phone, "Stop", vendor.number)
        await scene.reply_is_taken(phone)
    said = [one["content"] for one in await scene.client.messages(chat["id"])]
    (confirmation,) = [content for content in said if "opted out" in content]
    await says(scene.client, chat["id"], confirmation, "delivered")
    assert [text["body"] for text in await scene.handsets.texts(phone)] == ["hello", confirmation]
    assert (await scene.client.chat(chat["id"]))["fail_reason"] == "end_user_opt_out"
    refused = await scene.client.send(phone, "one more", outbound_number=vendor.number)
    assert (refused.status, refused.json["message"]) == (400, "Consumer has opted out of SMS.")


@EACH
async def test_an_undelivered_text_says_why(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.send(vendor, phone, "hello #undeliv:012")
    await says(scene.client, chat["id"], "hello #undeliv:012", "undelivered")
    trace = await scene.trace(chat)
    assert (trace["says"], trace["carrier_code"]) == vendor.undelivered
    assert await scene.handsets.texts(phone) == []


@EACH
async def test_lost_answers_are_settled_each_by_its_own_callback(scene: Scene, vendor: Vendor) -> None:
    """Of two texts to one phone: a number alone would not tell them apart."""
    phone, bodies = next(PHONES), {f"{LONG}#lose": "delivered", "hello #lose #undeliv:012": "undelivered"}
    async with scene.road.closed():
        chats = [await scene.send(vendor, phone, body) for body in bodies]
        for body in bodies:
            await says(scene.client, chats[0]["id"], body, "doubtful")
    async with asyncio.timeout(UNASKED):
        for body, status in bodies.items():
            await says(scene.client, chats[0]["id"], body, status)
    traces = [await scene.trace(chat) for chat in chats]
    assert [(len(trace["attempts"]), trace["delivered_segments"]) for trace in traces] == [(1, 3), (1, 0)]
    assert [text["body"] for text in await scene.handsets.texts(phone)] == [f"{LONG}#lose"]


@pytest.mark.slow
async def test_a_lost_answer_is_settled_by_a_look_up(scene: Scene) -> None:
    """Of the carriers that can be asked, none of whose callbacks come through. (The lab has no records of Telnyx's.)"""
    chats = []
    async with scene.road.closed():
        async with scene.wrong(lose_answer=1.0):
            for vendor in VENDORS:
                if vendor.name in ("twilio", "bandwidth", "generic"):
                    phone = next(PHONES)
                    chats.append((phone, await scene.send(vendor, phone, "hello")))
                    await says(scene.client, chats[-1][1]["id"], "hello", "doubtful")
        for phone, chat in chats:

            async def delivered(chat: dict[str, Any] = chat) -> bool:
                return bool((await scene.trace(chat))["status"] == "delivered")

            await until(delivered, ASKED_WITHIN, "the carrier was asked")
            assert len((await scene.trace(chat))["attempts"]) == 1
            assert len(await scene.handsets.texts(phone)) == 1


@EACH
async def test_callbacks_that_come_twice_or_are_forged_change_nothing(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.told(vendor, phone, "hello")
    inbound = {"kind": "inbound", "source": phone, "to": vendor.number}
    repeated = [{"kind": "status", "state": state} for state in vendor.states]
    for forgery in (*repeated, {**inbound, "body": "Who?"}):
        answers = await scene.forge(vendor, proof="right", times=3, **forgery)
        assert all(status in (200, 202, 204) for status in answers), answers
    before = await scene.client.messages(chat["id"])
    assert [(one["content"], one["status"]) for one in before] == [("hello", "delivered"), ("Who?", None)]

    undelivered = {"kind": "status", "state": "undelivered"}
    for proof in vendor.proofs:
        for forgery in (undelivered, {**inbound, "body": "STOP"}):
            assert set(await scene.forge(vendor, proof=proof, **forgery)) == {403}, (proof, forgery["kind"])
    if vendor.name == "kannel":  # which proves nothing but what its addresses say
        address = f"http://127.0.0.1:{scene.road.port}/callbacks/acme/kannel"
        report = f"{address}?text={chat['message_id']}&attempt=1&state=%d&phone=%p"
        for url in (report, f"{report}&proof=guessed"):
            assert await scene.forge(vendor, proof="right", url=url, **undelivered) == [403]
        for query in ("from=%p&to=%P&id=%I", "secret=guessed&from=%p&to=%P&id=%I"):
            assert await scene.forge(vendor, proof="right", url=f"{address}?{query}", **inbound, body="STOP") == [403]
    assert await scene.client.messages(chat["id"]) == before


@pytest.mark.slow
async def test_an_http_carrier_stands_in_for_a_line_that_is_down(scene: Scene) -> None:
    async def way_to(phone: str) -> str:
        """By which way a text reached this phone; it is delivered by then."""
        sent = await scene.client.send(phone, "hello", outbound_number=OURS)
        await says(scene.client, sent.json["id"], "hello", "delivered")
        (shown,) = await scene.handsets.texts(phone)
        way: str = shown["via"]
        return way

    assert await way_to(next(PHONES)) == "smpp"
    async with scene.wrong(reset_connect=1.0):
        await scene.handsets.drop_lines()
        phone = next(PHONES)
        assert await way_to(phone) == "twilio"
        await scene.handsets.reply(phone, "Who is this?", OURS)
        (chat,) = await scene.client.chats(number=phone)
        await says(scene.client, chat["id"], "Who is this?")

    async def is_back() -> bool:
        return await way_to(next(PHONES)) == "smpp"

    await until(is_back, LIMIT, "texts leave over SMPP again")


@EACH
async def test_pictures_go_both_ways(scene: Scene, vendor: Vendor) -> None:
    phone = next(PHONES)
    chat = await scene.told(vendor, phone, "a picture?")
    path, picture = f"/chats/{chat['id']}", base64.b64encode(samples.jpeg_with_place()).decode()
    if vendor.name != "kannel":  # whose smsbox has words alone
        typed = {"to": vendor.number, "body": "here", "media": [picture]}
        await scene.handsets.call("POST", f"/handsets/{phone}/reply", json=typed)

        async def fetched() -> bool:
            return bool((await scene.client.call("GET", path)).json["photos"])

        await until(fetched, LIMIT, "the picture is in the chat")
        (photo,) = (await scene.client.call("GET", path)).json["photos"]
        async with scene.client.http.get(photo["url"]) as opened:
            content = await opened.read()
            assert (opened.status, opened.content_type) == (200, "image/jpeg")
        assert content.startswith(samples.PIXEL[:2])
        assert samples.PLACE not in content
    (upload,) = (await scene.client.call("POST", f"{path}/photos", json={"files": [{"content": picture}]})).json
    message = {"content": "and ours", "media_ids": [upload["media_id"]]}
    agents = (await scene.client.call("GET", "/agents")).json
    agent = next(one["id"] for one in agents if one["email"] == "john.doe@foo.com")
    said = await scene.client.call("POST", f"{path}/message", json={"from_user_id": agent, "message": message})
    assert said.status == 200, said.body

    async def arrived() -> bool:
        return len(await scene.handsets.texts(phone)) == 2

    await until(arrived, LIMIT, "our picture is on the phone")
    shown = (await scene.handsets.texts(phone))[1]
    if vendor.name == "kannel":
        assert (shown["body"], shown["media"]) == (f"and ours\n{upload['url']}", [])
    else:
        assert shown["body"] == "and ours"
        assert [url.partition("?")[0] for url in shown["media"]] == [upload["url"]]

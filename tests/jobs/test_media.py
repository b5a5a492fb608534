"""What comes with a reply is fetched after the reply is on disk, with the carrier's own key, and nothing of it is lost
without a word."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from smsdesk.actions.claim_media import LEASE, claim_media
from smsdesk.actions.settle_media import MOST_ATTEMPTS, refuse_media
from smsdesk.carriers.http_reading import basic
from smsdesk.domain.media import JPEG, Media, MediaSource, content_key
from smsdesk.domain.media_clean import clean
from smsdesk.domain.reply import InboundPart
from smsdesk.jobs.media import MediaJob, Surroundings
from smsdesk.media.stores import Stores
from smsdesk.store.media import find_kept, find_media
from tests.kit.api import CONSUMER, OURS, Api
from tests.media import samples
from tests.media.servers import Source, redirect, source, trap


@dataclass
class Desk:
    """A tenant whose line is Twilio's, as `source` plays it; and the job that fetches."""

    api: Api
    vendor: Source
    stores: Stores
    carrier_id: int

    async def receive(self, *paths: str, body: str = "look") -> int:
        """A reply with files at these paths of the vendor, or at these whole addresses: the id of its chat."""
        media = tuple(MediaSource(path if ":" in path else f"{self.vendor.url}{path}", "a.jpg") for path in paths)
        part = InboundPart(self.carrier_id, CONSUMER, OURS, body, "gsm7", self.api.clock(), "http", media=media)
        await self.api.services.receive_reply(1, replace(part, carrier_reference=f"SM{id(part)}"))
        return int(await self.api.db.fetchval("select max(chat_id) from chats where ends_at is null"))

    async def run(self, **environ: str) -> None:
        api = self.api
        secrets = {"TWILIO_TOKEN": "t", **environ}
        log = structlog.get_logger()
        await MediaJob(Surroundings(api.services.db, self.stores, secrets, api.clock, lambda: 0.0, log)).run()

    async def media(self, chat_id: int) -> list[Media]:
        async with self.api.services.db.connection() as conn:
            return (await find_media(conn, 1, [chat_id]))[chat_id]

    async def content(self, one: Media) -> bytes | None:
        async with self.api.services.db.connection() as conn:
            file = await find_kept(conn, 1, one.chat_id, one.media_id)
        assert file is not None
        return await self.stores.of(None).get(file.content_key)


@pytest.fixture
async def desk(api: Api, tmp_path: Path) -> AsyncIterator[Desk]:
    async with source() as vendor:
        config = {"base_url": vendor.url, "account_sid": "AC1", "auth_token": {"env": "TWILIO_TOKEN"}}
        carrier_id = await api.db.fetchval(
            "update carriers set type = 'twilio', config = $1::jsonb where tenant_id = 1 returning carrier_id", config
        )
        yield Desk(api, vendor, Stores(tmp_path / "media", {}, api.clock), carrier_id)


async def test_a_picture_is_fetched_with_the_carriers_key_and_kept_clean(desk: Desk) -> None:
    desk.vendor.answers["/a"] = redirect("/b", 307)
    desk.vendor.answers["/b"] = web.Response(body=samples.jpeg_with_place(), headers={"Content-Type": "text/html"})
    chat_id = await desk.receive("/a")
    (wanted,) = await desk.media(chat_id)
    assert (wanted.state, wanted.url, wanted.reason) == ("wanted", None, None)
    await desk.run()
    (kept,) = await desk.media(chat_id)
    assert (kept.state, kept.kind, kept.content_type, kept.name) == ("kept", "photo", "image/jpeg", "a.jpg")
    content = await desk.content(kept)
    assert content is not None
    assert samples.PLACE not in content
    assert kept.size == len(content)
    assert [one.headers["Authorization"] for one in desk.vendor.asked] == [basic("AC1", "t")] * 2
    photos = (await desk.api.call("GET", f"/apps/api/v1/chats/{chat_id}")).json["photos"]
    assert [one["id"] for one in photos] == [kept.media_id]
    # Neither where it was nor anything else of the carrier's stays behind.
    assert await desk.api.db.fetchval("select count(*) from media where source_url is not null") == 0


async def test_ten_are_kept_and_the_eleventh_says_why_not(desk: Desk) -> None:
    desk.vendor.answers["/a"] = web.Response(body=samples.png())
    chat_id = await desk.receive(*["/a"] * 11)
    await desk.run()
    await desk.run()
    *kept, last = await desk.media(chat_id)
    assert [one.state for one in kept] == ["kept"] * 10
    assert (last.state, last.reason) == ("refused", "more than 10 attachments")


async def test_what_is_not_kept_has_a_row_with_a_reason(desk: Desk) -> None:
    async with trap() as at:
        bomb = web.Response(body=samples.png(width=60_000, height=60_000))
        desk.vendor.answers |= {
            "/large": web.Response(body=bytes(5_000_001)),
            "/zip": web.Response(body=b"PK\x03\x04"),
            "/bomb": bomb,
            "/gzip": web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
            "/gone": web.Response(status=410),
            "/inward": redirect(f"http://127.0.0.1:{at.port}/"),
            "/track": web.Response(body=samples.film(tracks=(b"vide", b"meta"))),
        }
        chat_id = await desk.receive(*desk.vendor.answers, f"http://localhost:{at.port}/x", "file:///etc/passwd")
        await desk.run()
        await desk.run()
        assert at.connects == 0
    media = await desk.media(chat_id)
    assert {one.state for one in media} == {"refused"}
    assert [one.reason for one in media] == [
        "5 MB: larger than 5 MB",
        "an archive",
        "more than 200 million pixels",
        "packed by the server that has it",
        "the server that has it answered 410",
        "its address is not a public one",
        "a film with a track of notes, which may say where it was made",
        "its address is not a public one",
        "its address is none of http or https",
    ]


async def test_what_fails_for_now_is_tried_again_later_and_later(desk: Desk) -> None:
    desk.vendor.answers["/a"] = web.Response(status=503)
    chat_id = await desk.receive("/a")
    pauses = []
    for _ in range(3):
        await desk.run()
        due_at = await desk.api.db.fetchval("select due_at from media")
        pauses.append((due_at - desk.api.clock.now).total_seconds())
        await desk.run()  # which is too soon
        desk.api.clock.now = due_at
    assert pauses == [5, 15, 45]
    assert len(desk.vendor.asked) == 3
    (one,) = await desk.media(chat_id)
    assert (one.state, one.reason) == ("wanted", "the server that has it answered 503")
    desk.vendor.answers["/a"] = web.Response(body=samples.png())
    await desk.run()
    (one,) = await desk.media(chat_id)
    assert (one.state, one.reason) == ("kept", None)


async def test_a_file_that_never_comes_ends_with_a_reason(desk: Desk) -> None:
    chat_id = await desk.receive("/missing")
    for _ in range(MOST_ATTEMPTS):
        await desk.run()
        desk.api.clock.forward(hours=5)
    (one,) = await desk.media(chat_id)
    assert (one.state, one.reason) == ("refused", "the server that has it answered 404 (tried 10 times)")


async def test_a_key_that_is_not_on_this_machine_is_waited_for(desk: Desk) -> None:
    desk.vendor.answers["/a"] = web.Response(body=samples.png())
    chat_id = await desk.receive("/a")
    await desk.run(TWILIO_TOKEN="")
    assert desk.vendor.asked == []
    assert "TWILIO_TOKEN is not set" in ((await desk.media(chat_id))[0].reason or "")
    desk.api.clock.forward(minutes=1)
    await desk.run()
    assert (await desk.media(chat_id))[0].state == "kept"


async def test_a_process_that_dies_in_a_fetch_loses_nothing_and_its_late_word_counts_for_nothing(desk: Desk) -> None:
    desk.vendor.answers["/a"] = web.Response(body=samples.png())
    chat_id = await desk.receive("/a")
    db, clock = desk.api.services.db, desk.api.clock
    (dead,) = await claim_media(db, 1, clock(), 10)
    await desk.run()
    assert desk.vendor.asked == []
    clock.now += LEASE + timedelta(seconds=1)
    await desk.run()
    await refuse_media(db, 1, dead, "from beyond", clock())
    assert (await desk.media(chat_id))[0].state == "kept"


async def test_two_processes_fetch_each_file_once(desk: Desk) -> None:
    desk.vendor.answers["/a"] = web.Response(body=samples.png())
    await desk.receive(*["/a"] * 6)
    await asyncio.gather(desk.run(), desk.run(), desk.run())
    assert len(desk.vendor.asked) == 6


async def test_the_same_picture_twice_is_kept_once(desk: Desk, tmp_path: Path) -> None:
    desk.vendor.answers["/a"] = web.Response(body=samples.jpeg_with_place())
    await desk.receive("/a", "/a")
    await desk.run()
    key = content_key(1, clean(samples.jpeg_with_place(), JPEG))
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == [tmp_path / "media" / key]

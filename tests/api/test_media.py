"""Files of a chat over the API: uploaded, listed, sent, opened by link; and what of that is refused."""

import base64
import json
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from smsdesk.actions.claim_texts import claim_texts
from smsdesk.actions.record_facts import record_facts
from smsdesk.domain.segments import segment
from smsdesk.domain.text_state import AttemptOutcome
from smsdesk.store.texts import Wanted
from tests.kit.api import Answer, Api
from tests.media import samples

CHATS = "/apps/api/v1/chats"


@pytest.fixture
async def chat(api: Api) -> int:
    """A chat with the agent 1, over a server that knows its own address."""
    await api.set(public_url=api.base_url)
    return int((await api.send(agent_id=1)).json["id"])


async def upload(api: Api, chat_id: int, *files: bytes, to: str = "photos") -> Answer:
    body = {"files": [{"content": base64.b64encode(one).decode(), "name": "a.jpg"} for one in files]}
    # As a stream: the client warns of large bodies in one piece.
    data = BytesIO(json.dumps(body).encode())
    return await api.call("POST", f"{CHATS}/{chat_id}/{to}", data=data, headers={"Content-Type": "application/json"})


async def say(api: Api, chat_id: int, **message: Any) -> Answer:
    return await api.call("POST", f"{CHATS}/{chat_id}/message", json={"from_user_id": 1, "message": message})


async def opened(api: Api, url: str, method: str = "GET") -> Answer:
    """A link, as somebody opens it who has no password."""
    assert url.startswith(api.base_url)
    return await api.call(method, url.removeprefix(api.base_url), auth=None)


async def test_an_upload_is_cleaned_and_opens_by_its_link(api: Api, chat: int) -> None:
    answer = await upload(api, chat, samples.jpeg_with_place())
    assert answer.status == 201
    (photo,) = answer.json
    assert photo["url"].startswith(f"{api.base_url}/media/")
    assert photo["url"].endswith(".jpg")
    got = await opened(api, photo["url"])
    assert (got.status, got.headers["Content-Type"]) == (200, "image/jpeg")
    assert samples.PLACE not in got.body
    assert got.body.startswith(samples.PIXEL[:2])
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert got.headers["Content-Disposition"] == f'inline; filename="photo-{photo["media_id"]}.jpg"'
    by_token = await api.call("GET", f"{CHATS}/{chat}/media/{photo['media_id']}")
    assert (by_token.status, by_token.body) == (200, got.body)


async def test_a_carrier_may_ask_for_the_head_first(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    head = await opened(api, photo["url"], "HEAD")
    assert (head.status, head.headers["Content-Type"]) == (200, "image/png")
    assert head.headers["Content-Length"] == str(len(samples.png()))


async def test_a_link_expires_and_the_file_stays(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    api.clock.now = api.clock.now.replace(year=2090)
    gone = await opened(api, photo["url"])
    assert (gone.status, gone.json) == (410, {"message": "this link has expired"})
    assert (await api.call("GET", f"{CHATS}/{chat}/media/{photo['media_id']}")).status == 200


async def test_a_link_that_was_changed_leads_nowhere(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    head, _, token = photo["url"].rpartition("/")
    tenant, chat_id, media_id, hours, proof = token.removesuffix(".png").split("-", 4)
    for forged in (
        f"{tenant}-{chat_id}-{media_id}-zzzzzz-{proof}", f"2-{chat_id}-{media_id}-{hours}-{proof}",
        f"{tenant}-{chat_id}-{media_id}-{hours}-{'A' * 22}", token[:-8], "x", "%2e%2e%2fsecret",
    ):  # fmt: skip
        assert (await opened(api, f"{head}/{forged}")).status == 404, forged


async def test_a_document_is_saved_and_never_shown(api: Api, chat: int) -> None:
    (card,) = (await upload(api, chat, samples.VCARD, to="media")).json
    got = await opened(api, card["url"])
    assert got.headers["Content-Disposition"].startswith("attachment; ")
    assert got.headers["Content-Type"].startswith("text/vcard")


REFUSED = [
    (b"<svg onload=alert(1)>", "photos", "a.jpg: an SVG picture"),
    (b"<!doctype html>", "media", "a.jpg: a web page"),
    (b"PK\x03\x04", "media", "a.jpg: an archive"),
    (samples.film(), "photos", "a.jpg: video/mp4 is no photo"),
    (samples.png(), "videos", "a.jpg: image/png is no video"),
    (samples.png()[:-4], "photos", "a.jpg: a broken PNG file"),
    (samples.png() + bytes(1_200_000), "photos", "a.jpg: 1.2 MB: larger than 1 MB"),
    (b"", "photos", "a.jpg: an empty file"),
]


async def test_what_is_not_kept_is_refused_in_words(api: Api, chat: int) -> None:
    await api.set(media_most_mb=1)
    for content, to, says in REFUSED:
        answer = await upload(api, chat, content, to=to)
        assert (answer.status, answer.json["message"][: len(says)]) == (400, says)
    assert await api.count("media") == 0


async def test_of_several_files_all_are_taken_or_none(api: Api, chat: int) -> None:
    assert (await upload(api, chat, samples.png(), b"<svg>")).status == 400
    assert await api.count("media") == 0
    assert len((await upload(api, chat, samples.png(), samples.jpeg(), samples.png())).json) == 3
    assert (await upload(api, chat, *[samples.png()] * 11)).status == 400
    assert (await upload(api, chat, samples.film(), samples.film(), to="videos")).status == 400
    assert (await upload(api, chat, samples.film(), to="videos")).json["media_id"]


async def test_a_form_is_taken_as_well(api: Api, chat: int) -> None:
    form = aiohttp.FormData()
    form.add_field("file", samples.png(), filename="a.png", content_type="text/html")
    form.add_field("file", samples.gif(), filename="b.gif")
    answer = await api.call("POST", f"{CHATS}/{chat}/photos", data=form)
    assert (answer.status, len(answer.json)) == (201, 2)
    listed = (await api.call("GET", f"{CHATS}/{chat}/media")).json
    assert [(one["name"], one["content_type"]) for one in listed] == [("a.png", "image/png"), ("b.gif", "image/gif")]


async def test_a_body_that_holds_no_files_is_refused(api: Api, chat: int) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{}", b'{"files": []}', b'{"files": [{"content": "!"}]}', b"[]", b"\xff"):
        answer = await api.call("POST", f"{CHATS}/{chat}/photos", data=body, headers=headers)
        assert (answer.status, list(answer.json)) == (400, ["message"]), body


async def test_a_photo_is_sent_and_stands_in_the_chat(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    assert (await api.call("GET", f"{CHATS}/{chat}")).json["photos"] == []
    said = await say(api, chat, type="photo", content=photo["media_id"])
    assert said.status == 200, said.json
    # The lab's line is SMPP, which has words alone: the picture goes as a link.
    assert said.json["content"] == photo["url"]
    shown = (await api.call("GET", f"{CHATS}/{chat}")).json["photos"]
    assert [(one["id"], one["url"]) for one in shown] == [(photo["media_id"], photo["url"])]
    assert (await api.call("GET", f"{CHATS}/{chat}/photos")).json == shown
    assert (await api.call("GET", f"{CHATS}/{chat}/videos")).json == []


async def test_words_and_files_go_together(api: Api, chat: int) -> None:
    photos = (await upload(api, chat, samples.png(), samples.jpeg())).json
    said = await say(api, chat, content="look", media_ids=[photos[1]["media_id"], photos[0]["media_id"]])
    assert said.json["content"] == "\n".join(("look", photos[1]["url"], photos[0]["url"]))
    assert said.json["segments"] == len(segment(said.json["content"]).parts)
    listed = (await api.call("GET", f"{CHATS}/{chat}")).json["photos"]
    assert [one["url"] for one in listed] == [photos[1]["url"], photos[0]["url"]]


LINES: dict[str, dict[str, Any]] = {
    "twilio": {"account_sid": "AC1", "auth_token": {"env": "NOT_SET"}},
    "telnyx": {"api_key": {"env": "NOT_SET"}},
    "bandwidth": {"account_id": "1", "application_id": "2", "api_token": {"env": "A"}, "api_secret": {"env": "B"}},
    "generic": {"base_url": "https://sms.example.com", "answers": {"message_id": "id"},
                "fields": {"text": "{body}", "media": "{media_urls}"}},
}  # fmt: skip


async def test_over_a_line_that_carries_files_they_go_by_mms(api: Api, chat: int) -> None:
    for kind, config in LINES.items():
        await api.db.execute("update carriers set type = $1, config = $2::jsonb where tenant_id = 1", kind, config)
        (photo,) = (await upload(api, chat, samples.png())).json
        said = await say(api, chat, content="look", media_ids=[photo["media_id"]])
        assert (said.json["content"], said.json["segments"]) == ("look", 1), kind
    assert await api.db.fetch("select distinct sent_as from media") == [("mms",)]


async def test_a_claim_gives_each_text_the_links_of_its_own_files(api: Api, chat: int) -> None:
    config = LINES["twilio"]
    await api.db.execute("update carriers set type = 'twilio', config = $1::jsonb where tenant_id = 1", config)
    (photo,) = (await upload(api, chat, samples.png())).json
    await say(api, chat, content="look", media_ids=[photo["media_id"]])
    await say(api, chat, content="nice?")
    carrier_id = await api.db.fetchval("select carrier_id from texts limit 1")
    await api.db.execute("insert into nodes values (7, 'n', $1, $1)", api.clock())
    links: dict[str, int] = {}
    db = api.services.db
    # One after the other: they go to one phone.
    while claimed := await claim_texts(db, 1, carrier_id, Wanted(10), 7, api.clock()):
        links |= {text.body: len(text.media) for text in claimed}
        sent = [AttemptOutcome(text.message_id, text.attempt, "accepted") for text in claimed]
        await record_facts(db, 1, carrier_id, api.clock(), sent, [])
    assert {body: count for body, count in links.items() if count} == {"look": 1}
    assert links["nice?"] == 0


async def test_what_a_line_does_not_carry_may_be_refused(api: Api, chat: int) -> None:
    await api.set(mms_fallback="refuse")
    (photo,) = (await upload(api, chat, samples.png())).json
    answer = await say(api, chat, type="photo", content=photo["media_id"])
    assert (answer.status, "mms_fallback" in answer.json["message"]) == (400, True)
    assert await api.count("messages") == 1


async def test_an_upload_goes_once_and_only_in_its_chat(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    other = int((await api.send(agent_id=1, end_user_number="+14155550101")).json["id"])
    assert (await say(api, other, type="photo", content=photo["media_id"])).status == 400
    assert (await say(api, chat, content="x", media_ids=[photo["media_id"]] * 2)).status == 400
    assert (await say(api, chat, type="photo", content=photo["media_id"])).status == 200
    again = await say(api, chat, type="photo", content=photo["media_id"])
    assert (again.status, str(photo["media_id"]) in again.json["message"]) == (400, True)


async def test_a_message_that_names_no_upload_is_refused(api: Api, chat: int) -> None:
    for message in ({"type": "photo", "content": "x"}, {"type": "photo"}, {"type": "video", "content": 1}):
        assert (await say(api, chat, **message)).status == 400, message


async def test_without_its_own_address_a_server_sends_no_links(api: Api, chat: int) -> None:
    await api.set(public_url="")
    (photo,) = (await upload(api, chat, samples.png())).json
    assert photo["url"].startswith("/media/")
    answer = await say(api, chat, type="photo", content=photo["media_id"])
    assert (answer.status, "public_url" in answer.json["message"]) == (400, True)


async def test_nothing_of_another_tenant_is_seen(api: Api, chat: int) -> None:
    (photo,) = (await upload(api, chat, samples.png())).json
    theirs = ("other", "other-secret")
    for path in ("photos", "videos", "media", f"media/{photo['media_id']}"):
        assert (await api.call("GET", f"{CHATS}/{chat}/{path}", auth=theirs)).status == 404
    body = {"files": [{"content": base64.b64encode(samples.png()).decode()}]}
    assert (await api.call("POST", f"{CHATS}/{chat}/photos", json=body, auth=theirs)).status == 404
    assert (await api.call("GET", f"{CHATS}/{chat}/media", auth=None)).status == 401


async def test_an_ended_chat_takes_no_uploads(api: Api, chat: int) -> None:
    await api.call("PATCH", f"{CHATS}/{chat}", json={"chat": {"status": "finished"}})
    answer = await upload(api, chat, samples.png())
    assert (answer.status, answer.json) == (400, {"message": "Chat is already ended"})

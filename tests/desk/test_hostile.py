"""Hostile text over HTTP: it is there, letter by letter, and no part of the page."""

import pytest

from tests.desk.chats import SCRIPTED, Chats
from tests.desk.hostile import HOSTILE
from tests.kit.desk import DeskKit


async def test_each_text_stands_as_it_was_written(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    phone = await chats.phone_of(chat_id)
    for name, body in HOSTILE.items():
        await chats.writes(body, phone)
        page = await john.get(f"/desk/chats/{chat_id}")
        line = page.html.select("ol.talk > li.in")[-1]
        said = line.select_one("bdi.said")
        assert said is not None
        assert said["dir"] == "auto"
        assert said.text.rstrip("…") == body[:1200], name
        assert len(said.find_all()) == 0, name
        assert not line.select("script, img, svg, h1, [onerror], [onload]"), name
        assert page.html.select_one("aside.pane.person") is not None, "the page goes on after it"


@pytest.mark.parametrize("name", ["script", "quotes", "markup", "override", "stacks"])
async def test_a_draft_a_note_and_a_preview(desk: DeskKit, name: str) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id, body = await chats.ongoing(), HOSTILE[name]
    assert (await john.post(f"/desk/chats/{chat_id}/draft", {"body": body})).status == 204
    assert (await john.post(f"/desk/chats/{chat_id}/note", {"body": body}, **SCRIPTED)).status == 200
    page = (await john.get(f"/desk/chats/{chat_id}")).html
    assert page.select_one("form.say textarea").text == body  # type: ignore[union-attr]
    assert page.select("li.note bdi")[-1].text == body
    preview = await john.post(f"/desk/chats/{chat_id}/preview", {"body": body}, **SCRIPTED)
    assert preview.status == 200
    assert not preview.html.select("script, svg, h1")


async def test_ten_thousand_characters_are_a_draft_and_no_text(desk: DeskKit) -> None:
    chats, john = Chats(desk), await desk.person("john")
    chat_id = await chats.ongoing()
    said = await chats.say(john, chat_id, HOSTILE["long"])
    assert said.status == 422
    assert "at most 10 parts" in said.text
    assert await chats.texts(chat_id) == []
    page = (await john.get(f"/desk/chats/{chat_id}")).html
    assert page.select_one("form.say textarea").text == HOSTILE["long"]  # type: ignore[union-attr]
    assert (await john.post(f"/desk/chats/{chat_id}/draft", {"body": "x" * 20_001})).status == 422

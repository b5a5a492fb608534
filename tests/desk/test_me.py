"""What every page has of its reader: status, capacity, offers; who may accept what."""

from tests.desk.writers import becomes, writes
from tests.kit.desk import DeskKit


async def test_he_becomes_available_and_is_asked(desk: DeskKit) -> None:
    john = await desk.person("john")
    chat_id = await writes(desk, "+14155550001", "<i>hello</i>")
    seen = await john.get("/desk/me")
    assert "Become available" in seen.text
    assert "You are offline" in seen.text
    assert "0 of 3" in seen.text
    await becomes(desk, john, "available")
    seen = await john.get("/desk/me")
    assert "Become available" not in seen.text
    assert seen.html.select_one(".places").text == "1 of 3"  # The offer is made to him alone.
    strip = (await john.get("/desk/offers")).html
    offer = strip.select_one(".offer")
    assert offer.select_one(".words").text == "<i>hello</i>"
    assert "Support" in offer.text
    assert offer.select_one("time[data-until]").text == "0:30"
    accepted = await john.post(f"/desk/chats/{chat_id}/accept")
    assert (accepted.status, accepted.headers["location"]) == (303, f"/desk/chats/{chat_id}")
    assert await desk.db.fetchval("select agent_id from chats where chat_id = $1", chat_id) == 1
    assert (await john.get("/desk/offers")).html.select_one(".offer") is None
    by_script = await john.post(f"/desk/chats/{chat_id}/accept", **{"HX-Request": "true"})
    assert f"/desk/chats/{chat_id}" in by_script.headers["HX-Location"]  # Twice is once.


async def test_what_he_wrote_is_shown_and_not_what_he_chose(desk: DeskKit) -> None:
    john = await desk.person("john")
    await becomes(desk, john, "available")
    chat_id = await writes(desk, "+14155550001", "Where is my parcel?")
    await desk.db.execute("update queues set keyword = 'BILL' where tenant_id = 1")
    shown: list[list[str]] = []

    async def look() -> None:
        strip, lists = (await john.get("/desk/offers")).html, (await john.get("/desk/list?tab=waiting")).html
        shown.append([strip.select_one(".offer .words").text, lists.select_one(f"#line-{chat_id} .words .said").text])

    for body in (" 2. ", "bill", "22 boxes"):
        desk.clock.forward(seconds=1)
        await writes(desk, "+14155550001", body)
        await look()
    # A number after an agent's question is an answer.
    await desk.db.execute("update chats set agent_said_at = $2 where chat_id = $1", chat_id, desk.clock.now)
    desk.clock.forward(seconds=1)
    await writes(desk, "+14155550001", "2")
    await look()
    parcel, boxes, two = "Where is my parcel?", "22 boxes", "2"
    assert shown == [[parcel] * 2, [parcel] * 2, [boxes] * 2, [two] * 2]


async def test_he_may_read_what_he_is_asked_to_take(desk: DeskKit) -> None:
    john, second = await desk.person("john"), await desk.person("second")
    await becomes(desk, john, "available")
    chat_id = await writes(desk, "+14155550001", "hello")
    await desk.db.execute("delete from agent_queues where agent_id in (1, 2)")
    assert (await john.get(f"/desk/chats/{chat_id}")).status == 200
    assert (await second.get(f"/desk/chats/{chat_id}")).status == 404
    assert (await john.post(f"/desk/chats/{chat_id}/note", {"body": "mine"})).status in (403, 404, 409)
    await john.post(f"/desk/chats/{chat_id}/decline")
    assert (await john.get(f"/desk/chats/{chat_id}")).status == 404


async def test_the_forms_of_every_page_work_without_scripts(desk: DeskKit) -> None:
    john = await desk.person("john")
    await writes(desk, "+14155550001", "hello")
    for path, form in (("/desk/me", "#me-back"), ("/desk/offers", "#sound-form"), ("/desk/me", "#me-form")):
        found = (await john.get(path)).html.select_one(form)
        assert found["method"] == "post"
        fields = {each["name"]: each["value"] for each in found.select("[name][value]")}
        answer = await john.post(found["action"], fields)
        assert (answer.status, answer.headers["location"]) == (303, "/desk")


async def test_what_he_declines_goes_to_the_other(desk: DeskKit) -> None:
    john, second = await desk.person("john"), await desk.person("second")
    await becomes(desk, john, "available")
    chat_id = await writes(desk, "+14155550001", "hello")
    desk.clock.forward(seconds=1)
    await becomes(desk, second, "available")
    assert (await second.post(f"/desk/chats/{chat_id}/accept", **{"HX-Request": "true"})).status == 409
    answer = await john.post(f"/desk/chats/{chat_id}/decline", **{"HX-Request": "true"})
    assert answer.html.select_one(".offer") is None
    assert (await second.get("/desk/offers")).html.select_one(".offer") is not None
    late = await john.post(f"/desk/chats/{chat_id}/accept", **{"HX-Request": "true"})
    assert (late.status, late.headers["HX-Retarget"]) == (409, "#notices")


async def test_a_missed_offer_is_told_and_how_to_come_back(desk: DeskKit) -> None:
    john = await desk.person("john")
    await becomes(desk, john, "available")
    await desk.db.execute("update agent_statuses set status = 'missed_chat', since = $1", desk.clock.now)
    assert "You missed a chat at 5:20" in (await john.get("/desk/offers")).text
    assert "Become available" in (await john.get("/desk/me")).text


async def test_a_chat_that_he_was_given_is_told_until_he_looks(desk: DeskKit) -> None:
    john = await desk.person("john")
    await desk.db.execute("update queues set effective = effective || '{\"auto_answer\": true}' where tenant_id = 1")
    await becomes(desk, john, "available")
    chat_id = await writes(desk, "+14155550001", "hello")
    assert (await john.get("/desk/offers")).html.select_one(f"#given-{chat_id}") is not None
    assert (await john.get(f"/desk/chats/{chat_id}")).status == 200
    assert (await john.get("/desk/offers")).html.select_one(f"#given-{chat_id}") is None


async def test_statuses_of_the_tenant_reasons_and_words_that_are_none(desk: DeskKit) -> None:
    john = await desk.person("john")
    tenant = 'update tenants set settings = settings || \'{"agent_statuses": ["<b>Training"]}\', changed_at = now()'
    await desk.db.execute(tenant)
    await desk.services.directory.refresh()
    seen = await john.post(
        "/desk/me/status", {"status": "<b>Training", "reason": "<script>tea"}, **{"HX-Request": "true"}
    )
    assert seen.html.select_one("summary .status").text == "<b>Training"
    assert "<script>" not in seen.text
    assert "you are asked for no chats" in seen.text
    for wrong in ({"status": "missed_chat"}, {"status": "nonsense"}, {"status": "meal", "reason": "x" * 256}):
        assert (await john.post("/desk/me/status", wrong, **{"HX-Request": "true"})).status == 422


async def test_the_sound_is_his_on_all_screens(desk: DeskKit) -> None:
    john, second = await desk.person("john"), await desk.person("second")
    muted = await john.post("/desk/me/sound", {"sound": "off"}, **{"HX-Request": "true"})
    assert muted.html.select_one("#offers")["data-sound"] == "off"
    assert (await john.get("/desk/offers")).html.select_one("#offers")["data-sound"] == "off"
    assert (await second.get("/desk/offers")).html.select_one("#offers")["data-sound"] == "on"


async def test_nobody_and_strangers_get_nothing(desk: DeskKit) -> None:
    john, theirs = await desk.person("john"), await desk.person("theirs")
    await becomes(desk, john, "available")
    chat_id = await writes(desk, "+14155550001", "hello")
    for deed in ("accept", "decline"):
        stranger = await theirs.post(f"/desk/chats/{chat_id}/{deed}", **{"HX-Request": "true"})
        nothing = await theirs.post(f"/desk/chats/999999/{deed}", **{"HX-Request": "true"})
        assert (stranger.status, stranger.text) == (404, nothing.text)
        assert (await desk.nobody().post(f"/desk/chats/{chat_id}/{deed}")).headers["location"] == "/desk/sign-in"
    assert (await theirs.get("/desk/offers")).html.select_one(".offer") is None
    for path in ("/desk/me", "/desk/offers"):
        assert (await desk.nobody().get(path)).status == 303
    foreign = await john.post(f"/desk/chats/{chat_id}/accept", Origin="https://elsewhere.example")
    assert foreign.status == 403


async def test_the_list_of_keys_is_on_every_page(desk: DeskKit) -> None:
    supervisor, john = await desk.person("supervisor"), await desk.person("john")
    keys = (await supervisor.get("/desk")).html.select_one("#keys")
    assert "Live board" in keys.text
    assert "Accept the first offer" in keys.text
    assert "Live board" not in (await john.get("/desk")).html.select_one("#keys").text

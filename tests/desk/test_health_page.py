"""The health page and the test-send: what is wrong and what to do; a text the real way."""

from tests.kit.desk import DeskKit

PATH, SEND = "/desk/admin/health", "/desk/admin/test-send"
FORM = {"outbound_number": "+16285550199", "end_user_number": "+1 415-555-0123", "message": "A test"}


async def checks(desk: DeskKit, who: str = "administrator") -> dict[str, str]:
    """What stands on the page: the check and all of its line."""
    seen = await (await desk.person(who)).get(PATH)
    assert seen.status == 200, seen.text
    return {
        one.strong.get_text(): one.get_text(" ", strip=True) for one in seen.html.select(".checks li") if one.strong
    }


async def test_without_a_worker_it_is_broken_and_says_how_to_start_one(desk: DeskKit) -> None:
    found = await checks(desk)
    assert found["Workers"].startswith("broken")
    assert "smsdesk serve" in found["Workers"]
    await desk.db.execute(
        """insert into nodes (node_id, name, started_at, alive_until)
        values (1, 'here:1', $1, $1::timestamptz + interval '1 minute')""",
        desk.clock.now,
    )
    assert (await checks(desk))["Workers"] == "in order Workers 1 at work: here:1"


async def test_a_sick_line_a_late_text_and_a_doubtful_one_are_told(desk: DeskKit) -> None:
    await desk.services.directory.refresh()
    administrator = await desk.person("administrator")
    sent = await administrator.post(SEND, FORM)
    assert sent.status == 303, sent.text
    carrier = await desk.db.fetchval("select carrier_id from texts where tenant_id = 1")
    name = await desk.db.fetchval("select name from carriers where tenant_id = 1 and carrier_id = $1", carrier)
    assert "1 text waits" in (await checks(desk))[f"Carrier {name}"]
    desk.clock.forward(minutes=6)
    late = (await checks(desk))[f"Carrier {name}"]
    assert late.startswith("broken")
    assert "360 s" in late
    await desk.db.execute("update texts set state = 'doubtful'")
    assert "1 text is in doubt" in (await checks(desk))[f"Carrier {name}"]
    assert "in doubt" not in str(await checks(desk, "their_administrator"))


async def test_set_up_that_lacks_something_is_named(desk: DeskKit) -> None:
    await desk.db.execute("update numbers set queue_id = null where tenant_id = 1")
    assert "+16285550199" in (await checks(desk))["Numbers"]
    assert "PostgreSQL" in (await checks(desk))["Database"]


async def test_a_test_goes_the_real_way_and_is_written_down(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    looked = await administrator.post(SEND, {**FORM, "look": "1"})
    assert "It would be sent" in looked.text
    assert await desk.db.fetchval("select count(*) from texts") == 0
    sent = await administrator.post(SEND, FORM)
    assert sent.status == 303
    text = await desk.db.fetchrow("select message_id, source, destination, state from texts")
    assert text is not None
    assert tuple(text)[1:] == ("+16285550199", "+14155550123", "queued")
    seen = await administrator.get(sent.headers["location"])
    assert "Accepted, and on disk" in seen.text
    deed = await desk.db.fetchrow("select action, subject, agent_id from audit")
    assert deed is not None
    assert tuple(deed) == ("send test text", "+14155550123", 11)


async def test_a_test_that_would_be_refused_says_why_and_keeps_what_was_typed(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    await desk.db.execute(
        "insert into opt_outs (tenant_id, number, at, source) values (1, '+14155550123', $1, 'text')", desk.clock.now
    )
    for form, why in (
        (FORM, "opted out"),
        ({**FORM, "end_user_number": "<script>1</script>"}, "no phone number"),
        ({**FORM, "message": "x" * 4000}, "too long"),
    ):
        refused = await administrator.post(SEND, form)
        assert refused.status == 422
        assert why in refused.text
        assert "<script>1" not in refused.text
        body = refused.html.find(id="test-body")
        assert body is not None
        assert body.get_text() == form["message"]
    assert await desk.db.fetchval("select count(*) from texts") == 0


async def test_only_administrators_of_this_tenant(desk: DeskKit) -> None:
    sent = await (await desk.person("administrator")).post(SEND, FORM)
    steps = sent.headers["location"].replace("test-send?", "test-send/steps?")
    for who in ("john", "supervisor"):
        person = await desk.person(who)
        assert (await person.get(PATH)).status == 403
        assert (await person.get(SEND)).status == 403
        assert (await person.get(steps)).status == 403
        assert (await person.post(SEND, FORM)).status == 403
    theirs = await desk.person("their_administrator")
    assert (await theirs.get(sent.headers["location"])).status == 404
    assert (await theirs.get(steps)).status == 404
    assert await desk.db.fetchval("select count(*) from texts") == 1

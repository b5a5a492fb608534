"""What becomes of somebody's reach when he changes: his role, his password, whether he may work at all; and what is
written down of who gave chats to whom."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from smsdesk.actions import sign_in as sign_in_module
from smsdesk.actions.list_tokens import list_tokens
from smsdesk.domain.token import digest
from smsdesk.errors import Problem
from tests.desk.chats import SCRIPTED, Chats
from tests.desk.sign_in_kit import JOHN, PASSWORD, Browser, give_password
from tests.desk.test_setup_pages import set_up
from tests.kit.desk import DeskKit


async def changed(desk: DeskKit, email: str, what: str) -> None:
    await set_up(desk, f"tenant: acme\nagents:\n  - {{email: {email}, {what}}}\n")


async def deeds(desk: DeskKit, action: str) -> list[tuple[int, str, dict[str, Any]]]:
    rows = await desk.db.fetch(
        "select agent_id, subject, details from audit where action = $1 order by audit_id", action
    )
    return [tuple(row) for row in rows]


async def test_who_supervises_no_more_is_in_no_chat_that_he_looked_into(desk: DeskKit) -> None:
    chat_id = await Chats(desk).ongoing()
    await desk.db.execute("delete from agent_queues where agent_id = 10")
    boss = await desk.person("supervisor")
    assert (await boss.post(f"/desk/chats/{chat_id}/join")).status == 303
    form = await Chats(desk).form(boss, chat_id)
    await changed(desk, "supervisor@foo.com", "role: agent")
    for path in ("", "/thread", "/head", "/person", "/draft"):
        assert (await boss.get(f"/desk/chats/{chat_id}{path}", **SCRIPTED)).status == 404, path
    said = await boss.post(f"/desk/chats/{chat_id}/say", {**form, "body": "still here"}, **SCRIPTED)
    noted = await boss.post(f"/desk/chats/{chat_id}/note", {"body": "still here"}, **SCRIPTED)
    assert (said.status, noted.status) == (404, 404)
    assert f"/desk/chats/{chat_id}" not in (await boss.get("/desk/list")).text
    assert await Chats(desk).texts(chat_id) == []
    assert await desk.db.fetchval("select count(*) from participants where user_id = 10 and ended_at is null") == 0


async def test_a_part_of_a_supervisor_opens_nothing_to_who_is_none(desk: DeskKit) -> None:
    """He came in while his role was being taken away."""
    chat_id = await Chats(desk).ongoing()
    boss = await desk.person("supervisor")
    assert (await boss.post(f"/desk/chats/{chat_id}/join")).status == 303
    await desk.db.execute("update agents set role = 'agent' where agent_id = 10")
    await desk.db.execute("delete from agent_queues where agent_id = 10")
    assert (await boss.get(f"/desk/chats/{chat_id}")).status == 404
    assert (await boss.post(f"/desk/chats/{chat_id}/note", {"body": "still here"})).status == 404


async def signed_in(desk: DeskKit) -> Browser:
    await give_password(desk)
    browser = Browser(desk)
    assert (await browser.sign_in()).status == 303
    assert (await browser.get("/desk")).status == 200
    return browser


async def test_a_password_that_the_set_up_gives_ends_what_the_old_one_opened(desk: DeskKit) -> None:
    browser = await signed_in(desk)
    desk.services.environ["ACME_WORD"] = "another sesame, please"  # type: ignore[index]
    await changed(desk, JOHN, "password: {env: ACME_WORD}")
    assert (await browser.get("/desk")).status == 303, "whoever has the old password is out"
    assert await desk.db.fetchval("select count(*) from sessions where agent_id = 1") == 0
    assert await desk.db.fetchval("select count(*) from known_browsers where agent_id = 1") == 0


async def test_who_may_work_again_has_to_sign_in_again(desk: DeskKit) -> None:
    browser = await signed_in(desk)
    boss = await desk.person("administrator")
    link = (await boss.post("/desk/admin/agents/invite", {"name": JOHN})).text
    await changed(desk, JOHN, "disabled: true")
    assert (await browser.get("/desk")).status == 303
    await changed(desk, JOHN, "disabled: false")
    assert (await browser.get("/desk")).status == 303, "the session of before is over, not asleep"
    assert await desk.db.fetchval("select count(*) from sign_in_steps where agent_id = 1") == 0, link


@pytest.mark.parametrize("meanwhile", ["password", "second factor", "disabled"])
async def test_what_changes_while_a_password_is_looked_at_counts(
    desk: DeskKit, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """The hash takes its time, and many tries wait for one another: his sessions were ended in between."""
    await give_password(desk)
    real = sign_in_module.is_password

    async def slow(hashed: str | None, typed: str) -> bool:
        good = await real(hashed, typed)
        if meanwhile == "password":
            await desk.db.execute("update agents set password_hash = 'another' where agent_id = 1")
        elif meanwhile == "disabled":
            await desk.db.execute("update agents set disabled_at = now() where agent_id = 1")
        else:
            await desk.db.execute(
                "insert into desk_profiles (tenant_id, agent_id, totp_secret, totp_confirmed_at) "
                "values (1, 1, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', now())"
            )
        return good

    monkeypatch.setattr(sign_in_module, "is_password", slow)
    browser = Browser(desk)
    seen = await browser.sign_in(PASSWORD)
    assert await desk.db.fetchval("select count(*) from sessions") == 0
    if meanwhile == "second factor":
        assert seen.headers["location"] == "/desk/sign-in/code"
    else:
        assert seen.status == 401


async def test_one_recovery_code_at_one_moment_opens_one_session(desk: DeskKit) -> None:
    await give_password(desk)
    await desk.db.execute(
        "insert into desk_profiles (tenant_id, agent_id, totp_secret, totp_confirmed_at) "
        "values (1, 1, 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', now())"
    )
    await desk.db.execute(
        "insert into recovery_codes (tenant_id, agent_id, code_sha256) values (1, 1, $1)", digest("ABCDEFGH23456777")
    )
    browsers = [Browser(desk) for _ in range(4)]
    for browser in browsers:
        assert (await browser.sign_in()).headers["location"] == "/desk/sign-in/code"
    code = {"code": "abcd-efgh-2345-6777"}
    seen = await asyncio.gather(*(browser.post("/desk/sign-in/code", code) for browser in browsers))
    assert sorted(each.status for each in seen) == [303, 401, 401, 401]
    assert await desk.db.fetchval("select count(*) from sessions") == 1


async def test_each_way_in_which_a_supervisor_gives_a_chat_is_written_down(desk: DeskKit) -> None:
    chat_id = await Chats(desk).ongoing()
    boss = await desk.person("supervisor")
    await boss.post(f"/desk/chats/{chat_id}/take-over")
    await boss.post(f"/desk/chats/{chat_id}/take-over")
    assert await deeds(desk, "assign chat") == [(10, f"chat {chat_id}", {"to": "agent 10", "from": "agent 1"})]
    other = await Chats(desk, phones=3000).ongoing()
    queue_id = await desk.db.fetchval("select min(queue_id) from queues where tenant_id = 1")
    refused = await boss.post(f"/desk/chats/{other}/transfer", {"target": "agent-2"})
    assert refused.status == 409
    assert await deeds(desk, "transfer chat") == [], "what was refused left nothing"
    assert (await boss.post(f"/desk/chats/{other}/transfer", {"target": f"queue-{queue_id}"})).status == 303
    assert await deeds(desk, "transfer chat") == [
        (10, f"chat {other}", {"from": "agent 1", "to": f"queue {queue_id}", "kind": "cold"})
    ]
    own = await Chats(desk, phones=4000).ongoing()
    john = await desk.person("john")
    assert (await john.post(f"/desk/chats/{own}/transfer", {"target": f"queue-{queue_id}"})).status == 303
    assert len(await deeds(desk, "transfer chat")) == 1, "an agent's own chat is in its history already"


async def test_another_tenant_whose_name_begins_like_ours_keeps_his_secrets(desk: DeskKit) -> None:
    await desk.db.execute("insert into tenants values (3, 'acme-b', '{}', now(), now())")
    await desk.db.execute("insert into subdomains values ('acme-b', 3)")
    await desk.services.directory.refresh()
    boss = await desk.person("administrator")
    file = "tenant: acme\nagents:\n  - {email: john.doe@foo.com, password: {env: ACME_B_WORD}}\n"
    desk.services.environ["ACME_B_WORD"] = "sesame sesame"  # type: ignore[index]
    seen = await boss.post("/desk/admin/file", {"document": file})
    assert seen.status == 422
    assert "begins with ACME_" in seen.text
    desk.services.environ["ACME_WORD"] = "sesame sesame"  # type: ignore[index]
    seen = await boss.post("/desk/admin/file", {"document": file.replace("ACME_B_WORD", "ACME_WORD")})
    assert seen.status == 200


@pytest.mark.parametrize(
    "file",
    [
        "tenant: acme\nsettings:\n  <<: 1\n",
        "tenant: acme\nsettings: &a\n  x: [*a, *a, *a, *a, *a, *a, *a, *a]\n",
        "tenant: acme\ncarriers: &b [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n",
    ],
)
async def test_a_file_that_points_at_itself_is_told_of_and_costs_little(desk: DeskKit, file: str) -> None:
    boss = await desk.person("administrator")
    seen = await boss.post("/desk/admin/file", {"document": file})
    assert seen.status == 422
    assert seen.html.select(".notice.error li")


@pytest.mark.parametrize("raw", ["\u00b2", "9" * 30, "9" * 5000, "0" * 30 + "1", "-1", "a\0"])
async def test_an_id_in_a_form_that_cannot_be_one_is_refused(desk: DeskKit, raw: str) -> None:
    boss = await desk.person("supervisor")
    assert (await boss.post("/desk/search/assign", {"chat_id": raw, "to": "agent:1"})).status == 422
    assert (await boss.post("/desk/search/assign", {"chat_id": "1", "to": f"agent:{raw}"})).status == 422
    assert (await boss.post("/desk/doubtful/settle", {"message_id": raw, "verdict": "sent"})).status == 422
    for name in ("agent", "queue", "person", "after"):
        assert (await boss.get(f"/desk/search?{urlencode({name: raw})}")).status in (200, 422), name


async def test_who_administers_no_more_sees_no_tokens(desk: DeskKit) -> None:
    with pytest.raises(Problem, match="forbidden"):
        await list_tokens(desk.services.db, "acme", 10)
    assert [one.name for one in await list_tokens(desk.services.db, "acme", 11)] == ["main"]


@pytest.mark.parametrize("raw", ["9" * 19, "9" * 30, "-1"])
async def test_an_id_in_an_address_that_cannot_be_one_is_of_nothing(desk: DeskKit, raw: str) -> None:
    boss = await desk.person("supervisor")
    for path in ("", "/thread", "/person", "/messages/1/why"):
        assert (await boss.get(f"/desk/chats/{raw}{path}")).status == 404, path
    assert (await boss.get(f"/desk/chats/1/messages/{raw}")).status == 404
    assert (await boss.post(f"/desk/chats/{raw}/take")).status == 404

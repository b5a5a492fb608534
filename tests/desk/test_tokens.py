"""Tokens at the desk: shown once, audited, only for administrators."""

import re

from tests.kit.desk import DeskKit

PATH = "/desk/admin/tokens"


async def test_a_token_is_shown_once_works_and_is_in_the_audit_without_itself(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    made = await administrator.post(PATH, {"name": "billing"})
    assert made.status == 200, made.text
    shown = made.html.find(id="new-token")
    assert shown is not None
    token = shown.get_text()
    assert re.fullmatch(r"sd_[0-9a-f]{64}", token)
    assert f"acme:{token}" in made.text
    assert made.headers["cache-control"] == "no-store"
    again = await administrator.get(PATH)
    assert "billing" in again.text
    assert token not in again.text
    assert desk.services.directory.tenants["acme"].credentials, "this process knows it at once"
    row = await desk.db.fetchrow("select action, subject, agent_id, source, details::text from audit")
    assert row is not None
    assert tuple(row)[:4] == ("create token", "billing", 11, "desk")
    assert token not in (await administrator.get("/desk/admin/audit")).text


async def test_a_new_one_ends_the_old_one_and_a_switch_is_for_all_requests(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    await administrator.post(PATH, {"name": "billing"})
    old = await desk.db.fetchval("select token_sha256 from credentials where tenant_id = 1 and name = 'billing'")
    await administrator.post(f"{PATH}/regenerate", {"name": "billing"})
    new = await desk.db.fetchval("select token_sha256 from credentials where tenant_id = 1 and name = 'billing'")
    assert old != new
    assert (await administrator.post(f"{PATH}/disable", {"name": "billing"})).status == 303
    off = "select disabled_at from credentials where tenant_id = 1 and name = 'billing'"
    assert await desk.db.fetchval(off) is not None
    await administrator.post(f"{PATH}/enable", {"name": "billing"})
    assert await desk.db.fetchval(off) is None
    deeds = [row[0] for row in await desk.db.fetch("select action from audit order by at, audit_id")]
    assert deeds == ["create token", "regenerate token", "disable token", "enable token"]


async def test_a_refusal_keeps_what_was_typed_and_names_are_hostile(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    await administrator.post(PATH, {"name": "<script>alert(1)</script>"})
    twice = await administrator.post(PATH, {"name": "<script>alert(1)</script>"})
    assert twice.status == 422
    assert "<script>alert" not in twice.text
    assert "there already" in twice.text or "already" in twice.text
    field = twice.html.find(id="token-name")
    assert field is not None
    assert field["value"] == "<script>alert(1)</script>"


async def test_neither_supervisors_nor_other_tenants_reach_them(desk: DeskKit) -> None:
    administrator = await desk.person("administrator")
    await administrator.post(PATH, {"name": "billing"})
    for who in ("john", "supervisor"):
        person = await desk.person(who)
        for answer in (await person.get(PATH), await person.post(PATH, {"name": "mine"}),
                       await person.post(f"{PATH}/regenerate", {"name": "billing"}),
                       await person.post(f"{PATH}/disable", {"name": "billing"})):  # fmt: skip
            assert answer.status == 403, who
    theirs = await desk.person("their_administrator")
    assert "billing" not in (await theirs.get(PATH)).text
    assert (await theirs.post(f"{PATH}/disable", {"name": "billing"})).status == 404
    assert (
        await desk.db.fetchval("select disabled_at from credentials where tenant_id = 1 and name = 'billing'") is None
    )

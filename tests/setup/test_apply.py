"""Applying files to a real database: new tenants, partial files, removals, order, passwords, rivals."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from smsdesk.actions.apply_setup import apply_setup
from smsdesk.domain.setup import State
from smsdesk.errors import Problem
from smsdesk.setup.faults import SetupError
from smsdesk.setup.passwords import matches
from smsdesk.setup.plan import SetupMoved, render
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from smsdesk.store.tenants import find_tenant_id, read_tenant, versions
from tests.setup.kit import FILES, NOW, applied, planned

FULL = (FILES / "full.yaml").read_text()


async def state(db: Database) -> State:
    async with db.connection() as conn:
        return await read_state(conn, "acme")


async def fields(db: Database, kind: Any, name: str) -> dict[str, Any]:
    return dict((await state(db)).things[kind, name])


def lines(plans: list[Any]) -> list[str]:
    return [line for each in plans for line in render(each)]


async def test_a_new_tenant_is_all_that_the_file_says(db: Database) -> None:
    plans = await applied(db, FULL)
    assert lines(plans)[0] == "tenant acme (new)"
    assert lines(plans)[-1] == "  10 to add, 0 to change, 0 to remove"
    things = (await state(db)).things
    assert things["carrier", "upstream"] == {
        "type": "line",
        "host": "127.0.0.1",
        "port": 2775,
        "system_id": "0042",
        "password": {"env": "UPSTREAM_PASSWORD"},
    }
    assert things["queue", "Support/Orders"] == {"keyword": None, "hidden": False, "position": 2}
    assert things["number", "+16285550199"] == {
        "carrier": "lab",
        "fallbacks": (),
        "queue": "Support",
        "agent": None,
        "label": "Main",
        "campaign": None,
        "brand": None,
    }
    assert things["number", "62855"]["queue"] == "Sales"
    assert things["agent", "john.doe@foo.com"]["queues"] == {"Support/Billing": 1}


async def test_a_server_reads_what_was_applied(db: Database) -> None:
    await applied(db, FULL)
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        assert tenant_id is not None
        tenant = await read_tenant(conn, tenant_id)
    assert tenant.settings.ticket_url == "https://crm.example.com/tickets/{ticket_id}"
    assert tenant.settings.allowed_regions == ("US",)
    assert set(tenant.numbers) == {"+16285550199", "62855"}
    assert tenant.agents_by_email["john.doe@foo.com"].agent_number == 9


async def test_applying_twice_changes_nothing(db: Database) -> None:
    await applied(db, FULL)
    before = await state(db)
    async with db.connection() as conn:
        versions_before = await versions(conn)
    assert lines(await applied(db, FULL)) == ["tenant acme: nothing to change"]
    async with db.connection() as conn:
        assert await versions(conn) == versions_before
    assert await state(db) == before


async def test_a_partial_file_changes_only_what_it_names(db: Database) -> None:
    await applied(db, FULL)
    before = await state(db)
    plans = await applied(db, "tenant: acme\ncarriers: [{name: upstream, port: 2776}]\nsettings: {sms_enabled: false}")
    assert lines(plans) == [
        "tenant acme",
        "  ~ settings",
        "      sms_enabled: true -> false",
        "  ~ carrier upstream",
        "      port: 2775 -> 2776",
        "  0 to add, 2 to change, 0 to remove",
    ]
    after = await state(db)
    assert {key for key in before.things if before.things[key] != after.things[key]} == {
        ("settings", ""),
        ("carrier", "upstream"),
    }
    assert after.things["carrier", "upstream"] == {**before.things["carrier", "upstream"], "port": 2776}


async def test_null_goes_back_to_the_default(db: Database) -> None:
    await applied(db, FULL)
    text = (
        "tenant: acme\nsettings: {ticket_url: null}\ncarriers: [{name: upstream, port: null}]\n"
        "numbers: [{number: 62855, queue: null}]\nqueues: [{name: Support, children: [{name: Billing, keyword: null}]}]"
    )
    await applied(db, text)
    assert "ticket_url" not in await fields(db, "settings", "")
    assert "port" not in await fields(db, "carrier", "upstream")
    assert (await fields(db, "number", "62855"))["queue"] is None
    assert (await fields(db, "queue", "Support/Billing"))["keyword"] is None
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change"]


async def test_deleted_takes_a_branch_with_all_below_and_its_agents_out_of_it(db: Database) -> None:
    await applied(db, FULL)
    text = "tenant: acme\nqueues: [{name: Support, deleted: true}]\nnumbers: [{number: 6285550199, queue: Sales}]"
    plans = await applied(db, text)
    assert [line for line in lines(plans) if line.startswith("  - ")] == [
        "  - queue Support/Billing",
        "  - queue Support/Orders",
        "  - queue Support",
    ]
    assert set((await state(db)).of("queue")) == {"Sales"}
    assert (await fields(db, "agent", "john.doe@foo.com"))["queues"] == {}
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change"]
    await applied(db, FULL)
    assert (await fields(db, "agent", "john.doe@foo.com"))["queues"] == {"Support/Billing": 1}


async def test_numbers_and_carriers_are_deleted_together(db: Database) -> None:
    await applied(db, FULL)
    text = "tenant: acme\nnumbers: [{number: '62855', deleted: true}]\ncarriers: [{name: upstream, deleted: true}]"
    plans = await applied(db, text)
    assert lines(plans)[1:3] == ["  - number 62855", "  - carrier upstream"]
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("carriers: [{name: lab, deleted: true}]", "carriers[0]: the number +16285550199 still uses it"),
        ("queues: [{name: Support, deleted: true}]", "queues[0]: the number +16285550199 still leads to it"),
        ("queues: [{name: Sales, keyword: bill}]", "bill is the keyword of Support/Billing already"),
        ("agents: [{email: a@foo.com, agent_number: 9}]", "9 is the agent number of john.doe@foo.com already"),
        ("carriers: [{name: upstream, type: lab}]", "is of type line, which cannot change"),
        ("numbers: [{number: 62855, queue: Biling}]", 'there is no queue "Biling". Did you mean'),
        (
            "queues: [{name: Support, children: [{name: Billing, children: [{name: Paper}]}]}]",
            "john.doe@foo.com works in Support/Billing, which would no longer be a leaf",
        ),
    ],
)
async def test_what_would_point_at_nothing_is_refused(db: Database, text: str, says: str) -> None:
    await applied(db, FULL)
    with pytest.raises(SetupError) as caught:
        await planned(db, f"tenant: acme\n{text}")
    assert len(caught.value.faults) == 1
    assert says in caught.value.lines()[0]


async def test_the_order_of_queues_is_that_of_a_file_that_names_them_all(db: Database) -> None:
    def queues(*names: str) -> str:
        return f"tenant: acme\nqueues: [{', '.join(f'{{name: {name}}}' for name in names)}]"

    async def order() -> list[str]:
        found = (await state(db)).of("queue")
        return sorted(found, key=lambda name: found[name]["position"])

    await applied(db, queues("A", "B"))
    await applied(db, queues("C"))
    assert await order() == ["A", "B", "C"]
    await applied(db, queues("C", "X", "A", "B"))
    assert await order() == ["C", "X", "A", "B"]
    await applied(db, queues("B", "A"))
    assert await order() == ["C", "X", "A", "B"]
    assert lines(await planned(db, queues("B", "A"))) == ["tenant acme: nothing to change"]


async def test_two_queues_exchange_their_keywords(db: Database) -> None:
    await applied(db, "tenant: acme\nqueues: [{name: A, keyword: ONE}, {name: B, keyword: TWO}]")
    await applied(db, "tenant: acme\nqueues: [{name: A, keyword: TWO}, {name: B, keyword: ONE}]")
    assert [(await fields(db, "queue", name))["keyword"] for name in "AB"] == ["TWO", "ONE"]


async def test_a_password_is_stored_as_argon2id_and_only_once(db: Database) -> None:
    text = "tenant: acme\nagents: [{email: john.doe@foo.com, password: {env: DESK}}]"
    plans = await applied(db, text, {"DESK": "correct horse"})
    assert "correct horse" not in str(lines(plans))
    assert "argon2" not in str(lines(plans))
    hashed = (await fields(db, "agent", "john.doe@foo.com"))["password"]
    assert hashed.startswith("$argon2id$")
    assert matches(hashed, "correct horse")
    assert not matches(hashed, "wrong horse")
    assert lines(await applied(db, text, {"DESK": "correct horse"})) == ["tenant acme: nothing to change"]
    await applied(db, text, {"DESK": "another horse"})
    assert matches((await fields(db, "agent", "john.doe@foo.com"))["password"], "another horse")


async def test_a_carrier_whose_secret_is_not_here_is_applied_with_a_warning(db: Database) -> None:
    assert [each.warnings for each in await applied(db, FULL)] == [
        ("carrier upstream: password: the environment variable UPSTREAM_PASSWORD is not set: "
         "set it before you start smsdesk",)
    ]  # fmt: skip
    assert [each.warnings for each in await planned(db, FULL, {"UPSTREAM_PASSWORD": "x"})] == [()]


async def test_disabled_agents_stay_and_come_back(db: Database) -> None:
    await applied(db, FULL)
    await applied(db, "tenant: acme\nagents: [{email: JOHN.DOE@foo.com, disabled: true}]")
    assert (await fields(db, "agent", "john.doe@foo.com"))["disabled"] is True
    await applied(db, FULL.replace("role: agent", "role: agent, disabled: false"))
    assert (await fields(db, "agent", "john.doe@foo.com"))["disabled"] is False


async def test_a_plan_on_an_older_state_is_not_applied(db: Database) -> None:
    await applied(db, FULL)
    [old] = await planned(db, "tenant: acme\nsettings: {sms_enabled: false}")
    await applied(db, "tenant: acme\nsettings: {when_active: append}")
    before = await state(db)
    with pytest.raises(SetupMoved):
        await apply_setup(db, old, NOW)
    assert await state(db) == before


async def test_of_many_at_once_one_makes_the_tenant(db: Database) -> None:
    plans = [(await planned(db, FULL))[0] for _ in range(6)]
    done = await asyncio.gather(*(apply_setup(db, each, NOW) for each in plans), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["NoneType", *["SetupMoved"] * 5]
    assert lines(await planned(db, FULL)) == ["tenant acme: nothing to change"]


async def test_a_change_is_told_and_moves_the_time_forward(db: Database, database: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database)
    await listener.add_listener("setup", lambda *told: heard.put_nowait(told[-1]))
    await applied(db, FULL)
    [(tenant_id, first)] = (await _versions(db)).items()
    assert await asyncio.wait_for(heard.get(), 10) == str(tenant_id)
    await applied(db, "tenant: acme\nsettings: {sms_enabled: false}")
    assert (await _versions(db))[tenant_id] > first  # although the clock of the test stands still
    await listener.close()


async def _versions(db: Database) -> dict[int, datetime]:
    async with db.connection() as conn:
        return await versions(conn)


async def test_open_chats_and_texts_on_their_way_stand_against_a_removal(db: Database) -> None:
    await applied(db, FULL)
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        await conn.execute("insert into end_users values ($1, 1, '+14155550100', null, null, $2)", tenant_id, NOW)
        await conn.execute(
            "insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at,"
            " queue_id) select $1, 2, 1, '62855', 'inbound', 'queued', $2, queue_id from queues where name = 'Sales'",
            tenant_id,
            NOW,
        )
        await conn.execute(
            "insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)"
            " values ($1, 2, 3, 'api', 'hi', 'gsm7', 1, $2)",
            tenant_id,
            NOW,
        )
        await conn.execute(
            "insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at,"
            " valid_until, state_at) select $1, 3, 2, carrier_id, 'notice', '62855', '+14155550100', 'queued', $2, $2,"
            " $2 from carriers where name = 'upstream'",
            tenant_id,
            NOW,
        )
    [removal] = await planned(
        db,
        "tenant: acme\nnumbers: [{number: 62855, deleted: true}]\ncarriers: [{name: upstream, deleted: true}]\n"
        "queues: [{name: Sales, deleted: true}]",
    )
    assert removal.obstacles == (
        "carrier upstream has 1 texts on their way: wait until they have ended",
        "queue Sales has 1 open chats: finish or transfer them first, or write move_chats_to: PATH beside its name",
    )
    with pytest.raises(Problem, match="upstream has 1 texts"):
        await apply_setup(db, replace(removal, obstacles=()), NOW)
    assert ("queue", "Sales") in (await state(db)).things


async def test_several_tenants_in_one_file(db: Database) -> None:
    text = (
        "tenant: acme\ncarriers: [&lab {name: lab, type: lab}]\n---\ntenant: beta\ncarriers: [{name: x, type: lab}]\n"
    )
    assert [each.current.subdomain for each in await applied(db, text)] == ["acme", "beta"]
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change", "tenant beta: nothing to change"]


async def test_anchors_merges_and_regions_of_the_file(db: Database) -> None:
    text = (
        "tenant: acme\nsettings: {allowed_regions: [DE, US]}\n"
        "carriers:\n  - &line {name: a, type: line, host: h, system_id: s, password: {file: secret}}\n"
        "  - {<<: *line, name: b, port: 1}\n"
        "numbers: [{number: +49 30 901820, carrier: b}]\n"
    )
    await applied(db, text)
    assert (await fields(db, "carrier", "b"))["host"] == "h"
    assert (await fields(db, "carrier", "b"))["password"] == {"file": str(FILES / "secret")}
    assert (await fields(db, "number", "+4930901820"))["carrier"] == "b"
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change"]

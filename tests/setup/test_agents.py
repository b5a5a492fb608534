"""Agents in a file: their queues and groups, skills, places for chats, and numbers of their own."""

from typing import Any

import pytest

from smsdesk.domain.setup import State
from smsdesk.setup.plan import as_json, render
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from smsdesk.store.tenants import find_tenant_id, read_tenant
from tests.setup.kit import applied, planned
from tests.setup.test_queue_settings import good, mistakes

DESK = """\
tenant: acme
carriers: [{name: lab, type: lab}]
queues:
  - name: Support
    groups: [{name: Seniors}, {name: Juniors}]
    children: [{name: Billing, skills: [Refunds]}, {name: Orders}]
  - {name: Sales}
numbers: [{number: "+1 628-555-0199", carrier: lab, agent: ANN@foo.com, brand: acme}]
agents:
  - {email: ann@foo.com, queues: [{queue: Billing, group: Juniors}, Sales], skills: [Refunds, French], max_chats: 5}
  - {email: bob@foo.com, queues: [Billing, {queue: Sales}]}
  - {email: eve@foo.com, role: supervisor, queues: [Orders]}
"""


async def state(db: Database) -> State:
    async with db.connection() as conn:
        return await read_state(conn, "acme")


async def rows(db: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    async with db.connection() as conn:
        return [tuple(row) for row in await conn.fetch(statement, *values)]


async def test_agents_are_all_that_the_file_says(db: Database) -> None:
    plans = await applied(db, DESK)
    assert '      queues: ["Sales", {"queue": "Support/Billing", "group": 2}]' in render(plans[0])
    agents = (await state(db)).of("agent")
    assert agents["ann@foo.com"]["queues"] == {"Sales": 1, "Support/Billing": 2}
    assert agents["ann@foo.com"]["skills"] == ("French", "Refunds")
    assert (agents["ann@foo.com"]["max_chats"], agents["bob@foo.com"]["max_chats"]) == (5, None)
    assert (await planned(db, DESK))[0].is_empty


async def test_the_picture_of_the_tenant_has_them(db: Database) -> None:
    await applied(db, DESK)
    async with db.connection() as conn:
        tenant_id = await find_tenant_id(conn, "acme")
        assert tenant_id is not None
        tenant = await read_tenant(conn, tenant_id)
    ann, eve = tenant.agents_by_email["ann@foo.com"], tenant.agents_by_email["eve@foo.com"]
    assert (ann.role, ann.max_chats, ann.skills) == ("agent", 5, ("French", "Refunds"))
    assert (eve.role, eve.max_chats, eve.skills) == ("supervisor", None, ())
    number = tenant.numbers["+16285550199"]
    assert (number.agent_id, number.queue_id, number.brand) == (ann.agent_id, None, "acme")


async def test_whom_routing_asks_follows_from_the_file(db: Database) -> None:
    """Skills, places and the agent's being there are looked at when the set-up changes, and not only when he moves."""
    await applied(db, DESK)
    await rows(db, "update agent_statuses set status = 'available'")

    async def ready() -> set[tuple[Any, ...]]:
        return set(
            await rows(
                db,
                "select split_part(a.email, '@', 1), q.name, p.group_number from agent_queues p"
                " join agents a using (agent_id) join queues q using (queue_id) where p.ready",
            )
        )

    await applied(db, "tenant: acme\nsettings: {chats_per_agent: 4}")
    assert await ready() == {("ann", "Billing", 2), ("ann", "Sales", 1), ("bob", "Sales", 1), ("eve", "Orders", 1)}
    await applied(db, "tenant: acme\nqueues: [{name: Support, children: [{name: Billing, skills: []}]}]")
    assert ("bob", "Billing", 1) in await ready()
    await applied(db, "tenant: acme\nsettings: {queue_defaults: {skills: [Chess]}}")
    assert await ready() == {("ann", "Billing", 2), ("bob", "Billing", 1)}
    await applied(db, "tenant: acme\nagents: [{email: bob@foo.com, disabled: true}]")
    assert await ready() == {("ann", "Billing", 2)}
    await applied(db, "tenant: acme\nagents: [{email: ann@foo.com, queues: [{queue: Billing, group: Seniors}]}]")
    assert await ready() == {("ann", "Billing", 1)}


async def test_the_queue_of_the_supervisors_is_theirs_whatever_the_file_says(db: Database) -> None:
    await applied(db, DESK)
    await rows(
        db,
        "insert into queues (tenant_id, name, position, hidden, purpose)"
        " select tenant_id, 'Supervisors', 9, true, 'supervisors' from tenants",
    )
    await applied(
        db, "tenant: acme\nsettings: {queue_defaults: {lang: es}}\nagents: [{email: eve@foo.com, queues: []}]"
    )
    inside = (
        "select a.email from agent_queues p join agents a using (agent_id) join queues q using (queue_id) where purpose"
    )
    assert await rows(db, f"{inside} = 'supervisors'") == [("eve@foo.com",)]
    assert await rows(db, "select effective ->> 'lang' from queues where purpose is not null") == [("es",)]
    assert ("queue", "Supervisors") not in (await state(db)).things
    assert (await state(db)).of("agent")["eve@foo.com"]["queues"] == {}
    await applied(db, "tenant: acme\nagents: [{email: eve@foo.com, role: agent}]")
    assert await rows(db, f"{inside} = 'supervisors'") == []


def test_groups_that_go_leave_their_agents_in_the_first() -> None:
    current = good(DESK.removeprefix("tenant: acme\n"))
    after = good("queues: [{name: Support, groups: [{name: All}]}]", current)
    assert after.of("agent")["ann@foo.com"]["queues"] == {"Sales": 1, "Support/Billing": 1}
    kept = good("queues: [{name: Support, groups: [{name: A}, {name: B}, {name: C}]}]", current)
    assert kept.of("agent") == current.of("agent")


AGENT = "agents: [{email: bob@foo.com, "
NUMBER = "numbers: [{number: 6285550199, "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (AGENT + "queues: [{queue: Billing, group: Senior}]}]", 'no group "Senior". Did you mean "Seniors"?'),
        (AGENT + "queues: [{queue: Sales, group: Seniors}]}]", '"Sales" has no group "Seniors"'),
        (AGENT + "queues: [Billing, {queue: Billing, group: Juniors}]}]", '"Support/Billing" stands here twice'),
        (AGENT + "queues: [{group: Juniors}]}]", "has no `queue`"),
        (AGENT + "queues: [Support]}]", "an agent works in leaves"),
        (AGENT + "max_chats: 0}]", "must be a whole number from 1 to 100"),
        (AGENT + "skills: [A, A]}]", "stands here twice"),
        (NUMBER + "queue: Sales}]", "+16285550199 would lead to ann@foo.com and to Sales: write queue: null, or agent"),
        (NUMBER + "agent: bib@foo.com}]", 'there is no agent "bib@foo.com". Did you mean "bob@foo.com"?'),
        ("agents: [{email: ann@foo.com, disabled: true}]", "the number +16285550199 still leads to ann@foo.com"),
        (
            "agents: [{email: bob@foo.com, disabled: true}]\n" + NUMBER + "agent: bob@foo.com}]",
            "bob@foo.com is disabled: give the number to another agent, or to a queue",
        ),
    ],
)
def test_what_leads_nowhere_is_said_where_it_stands(text: str, says: str) -> None:
    [mistake] = mistakes(text, good(DESK.removeprefix("tenant: acme\n")))
    assert says in mistake


async def test_a_number_goes_from_an_agent_to_a_queue_and_back(db: Database) -> None:
    await applied(db, DESK)
    [plan] = await applied(db, f"tenant: acme\n{NUMBER}agent: null, queue: Sales}}]\n{AGENT}disabled: true}}]")
    changed = as_json(plan)["changes"]
    assert [each["kind"] for each in changed] == ["agent", "number"], "an agent is there before his number is"
    assert (await state(db)).of("number")["+16285550199"]["queue"] == "Sales"
    await applied(db, f"tenant: acme\n{NUMBER}agent: ann@foo.com, queue: null}}]\nagents: [{{email: ann@foo.com}}]")
    assert (await state(db)).of("number")["+16285550199"]["agent"] == "ann@foo.com"

"""Fallbacks and limits: planned, applied, kept, moved and taken away; and what would lead to nothing."""

from datetime import timedelta
from typing import Any

import pytest

from smsdesk.domain.setup import State, limit_name, read_limit_name
from smsdesk.setup.plan import render
from smsdesk.setup.references import final
from smsdesk.store.db import Database
from smsdesk.store.setup import read_state
from tests.setup.kit import NOW, applied, judged, planned

LINES = "carriers: [{name: upstream, type: lab}, {name: backup, type: lab}, {name: other, type: lab}]"
NUMBER = "+1 628-555-0199"
FULL = f"""
tenant: acme
{LINES}
numbers:
  - {{number: "{NUMBER}", carrier: upstream, fallbacks: [backup, other], campaign: alerts, brand: acme}}
  - {{number: 62855, carrier: backup}}
limits:
  - {{number: "{NUMBER}", segments: 1, per: second}}
  - {{campaign: alerts, segments: 600, per: minute}}
  - {{brand: acme, segments: 2000, per: day}}
  - {{carrier: upstream, segments: 30, per: 1}}
  - {{tenant: true, segments: 100, per: 90}}
"""


async def state(db: Database) -> State:
    async with db.connection() as conn:
        return await read_state(conn, "acme")


def lines(plans: list[Any]) -> list[str]:
    return [line for each in plans for line in render(each)]


STANDS = State("acme", 1, final(State("acme", 1), judged(FULL, State("acme", 1)).items))


def mistakes(text: str) -> list[str]:
    """What is wrong with a text against the full one, without the places: tests/setup/files/bad.txt holds those."""
    return [f"{fault.place.path}: {fault.says}" for fault in judged(text, STANDS).faults]


@pytest.mark.parametrize(
    ("scope", "of", "seconds", "name"),
    [
        ("number", "+16285550199", 1, "number +16285550199 per second"),
        ("campaign", "Sale per customer", 60, "campaign Sale per customer per minute"),
        ("brand", "acme", 86_400, "brand acme per day"),
        ("carrier", "upstream", 3_600, "carrier upstream per hour"),
        ("tenant", "", 90, "tenant per 90 seconds"),
    ],
)
def test_the_name_of_a_limit_is_all_that_it_is_known_by(scope: str, of: str, seconds: int, name: str) -> None:
    assert limit_name(scope, of, seconds) == name
    assert read_limit_name(name) == (scope, of, seconds)


async def test_all_of_it_is_kept_and_nothing_is_left_to_do(db: Database) -> None:
    plans = await applied(db, FULL)
    assert '      fallbacks: ["backup", "other"]' in lines(plans)
    assert lines(plans)[-11:-1] == [
        "  + limit number +16285550199 per second",
        "      segments: 1",
        "  + limit campaign alerts per minute",
        "      segments: 600",
        "  + limit brand acme per day",
        "      segments: 2000",
        "  + limit carrier upstream per second",
        "      segments: 30",
        "  + limit tenant per 90 seconds",
        "      segments: 100",
    ]
    things = (await state(db)).things
    assert things["number", "+16285550199"] == {
        "carrier": "upstream", "fallbacks": ("backup", "other"), "queue": None, "agent": None, "label": "",
        "campaign": "alerts", "brand": "acme",
    }  # fmt: skip
    async with db.connection() as conn:
        limits = await conn.fetch("select scope, name, seconds, segments from limits order by scope")
    assert [tuple(row) for row in limits] == [
        ("brand", "acme", 86_400, 2000),
        ("campaign", "alerts", 60, 600),
        ("carrier", "upstream", 1, 30),
        ("number", "+16285550199", 1, 1),
        ("tenant", "", 90, 100),
    ]
    assert lines(await planned(db, FULL)) == ["tenant acme: nothing to change"]


async def test_another_order_of_fallbacks_keeps_what_closed_them(db: Database) -> None:
    await applied(db, FULL)
    until = NOW + timedelta(hours=1)
    async with db.connection() as conn:
        await conn.execute(
            "update fallbacks f set closed_until = $1, closed_why = 'bad_sender' from carriers c"
            " where c.carrier_id = f.carrier_id and c.name = 'other'",
            until,
        )
        await conn.execute("insert into carriers (tenant_id, name, type) select tenant_id, 'third', 'lab' from tenants")
    await applied(db, f'tenant: acme\nnumbers: [{{number: "{NUMBER}", fallbacks: [third, other, backup]}}]')
    async with db.connection() as conn:
        kept = await conn.fetch(
            "select f.position, c.name, f.closed_until, f.closed_why from fallbacks f"
            " join carriers c on c.carrier_id = f.carrier_id order by 1"
        )
    assert [tuple(row) for row in kept] == [
        (1, "third", None, None),
        (2, "other", until, "bad_sender"),
        (3, "backup", None, None),
    ]


@pytest.mark.parametrize(
    ("change", "current"),
    [("fallbacks: [other]", None), ("carrier: other, fallbacks: [backup]", None), ("fallbacks: [backup]", "backup"),
     ("label: Main", "backup")],
)  # fmt: skip
async def test_a_number_leaves_a_fallback_that_it_has_no_more(db: Database, change: str, current: str | None) -> None:
    await applied(db, FULL)
    async with db.connection() as conn:
        await conn.execute(
            "update numbers set current_carrier_id = (select carrier_id from carriers where name = 'backup'),"
            " current_why = 'down' where campaign = 'alerts'"
        )
    await applied(db, f'tenant: acme\nnumbers: [{{number: "{NUMBER}", {change}}}]')
    async with db.connection() as conn:
        row = await conn.fetchrow(
            "select c.name, n.current_why from numbers n left join carriers c on c.carrier_id = n.current_carrier_id"
            " where n.campaign = 'alerts'"
        )
    assert row is not None
    assert tuple(row) == (current, "down" if current else None)


async def test_a_limit_is_changed_and_taken_away_by_what_it_limits(db: Database) -> None:
    await applied(db, FULL)
    text = (
        "tenant: acme\nlimits:\n  - {campaign: alerts, segments: 300, per: 60}\n"
        "  - {tenant: true, per: 90, deleted: true}\n  - {campaign: alerts, segments: 9, per: hour}"
    )
    assert lines(await applied(db, text)) == [
        "tenant acme",
        "  ~ limit campaign alerts per minute",
        "      segments: 600 -> 300",
        "  + limit campaign alerts per hour",
        "      segments: 9",
        "  - limit tenant per 90 seconds",
        "  1 to add, 1 to change, 1 to remove",
    ]
    assert lines(await planned(db, text)) == ["tenant acme: nothing to change"]
    assert (await state(db)).of("limit")["campaign alerts per minute"] == {"segments": 300}
    assert "tenant per 90 seconds" not in (await state(db)).of("limit")


async def test_a_number_goes_with_its_limits_and_fallbacks(db: Database) -> None:
    await applied(db, FULL)
    number = f'{{number: "{NUMBER}", deleted: true}}'
    assert set(mistakes(f"tenant: acme\nnumbers: [{number}]")) == {
        f"numbers[0]: the limit {name} would limit nothing: delete that as well"
        for name in ("brand acme per day", "campaign alerts per minute", "number +16285550199 per second")
    }
    await applied(
        db,
        f'tenant: acme\nnumbers: [{number}]\nlimits:\n  - {{number: "{NUMBER}", per: second, deleted: true}}\n'
        "  - {campaign: alerts, per: minute, deleted: true}\n  - {brand: acme, per: day, deleted: true}",
    )
    assert set((await state(db)).of("number")) == {"62855"}
    assert set((await state(db)).of("limit")) == {"carrier upstream per second", "tenant per 90 seconds"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "numbers: [{number: 62855, fallbacks: [bakup]}]",
            'numbers[0].fallbacks[0]: there is no carrier "bakup". Did you mean "backup"?',
        ),
        (
            "numbers: [{number: 62855, fallbacks: [other, other]}]",
            'numbers[0].fallbacks[1]: "other" stands here twice: keep one of them',
        ),
        (
            "numbers: [{number: 62855, fallbacks: [other, backup]}]",
            'numbers[0].fallbacks[1]: "backup" would be the carrier of 62855 and its fallback: take it from '
            "one of them",
        ),
        (
            f'numbers: [{{number: "{NUMBER}", carrier: other}}]',
            'numbers[0].carrier: "other" would be the carrier of +16285550199 and its fallback: take it '
            "from one of them",
        ),
        (
            "numbers: [{number: 62855, fallbacks: other}]",
            "numbers[0].fallbacks: must be a list, not `other`: write `- ` before each entry",
        ),
        (
            "carriers: [{name: other, deleted: true}]",
            "carriers[0]: the number +16285550199 falls back to it: give that other `fallbacks`, or []",
        ),
        (
            f'numbers: [{{number: "{NUMBER}", campaign: news}}]',
            "numbers[0]: the limit campaign alerts per minute would limit nothing: delete that as well",
        ),
        (
            "limits: [{number: 62856, segments: 1, per: second}]",
            'limits[0].number: number 62856 is not set up: set it up as well. Did you mean "62855"?',
        ),
        (
            "limits: [{campaign: alert, segments: 1, per: day}]",
            'limits[0].campaign: there is no campaign "alert": give it to a number as its `campaign`. Did '
            'you mean "alerts"?',
        ),
        (
            "limits: [{brand: foo, segments: 1, per: day}]",
            'limits[0].brand: there is no brand "foo": give it to a number as its `brand`. Known: acme.',
        ),
        (
            "limits: [{carrier: upstrem, segments: 1, per: day}]",
            'limits[0].carrier: there is no carrier "upstrem": set it up as well. Did you mean "upstream"?',
        ),
        (
            "limits: [{tenant: false, segments: 1, per: day}]",
            "limits[0].tenant: must be true, for a limit on all texts of the tenant, or must not be there",
        ),
        (
            "limits: [{tenant: true, carrier: other, segments: 1, per: day}]",
            "limits[0]: must limit one thing and names 2: write one of number, campaign, brand, carrier, tenant",
        ),
        (
            "limits: [{segments: 1, per: day}]",
            "limits[0]: must limit one thing and names 0: write one of number, campaign, brand, carrier, tenant",
        ),
        (
            "limits: [{tenant: true, segments: 0, per: day}]",
            "limits[0].segments: must be a whole number from 1 to 1000000000, not 0",
        ),
        (
            "limits: [{tenant: true, segments: 1, per: week}]",
            'limits[0].per: must be one of second, minute, hour, day, not "week".',
        ),
        (
            "limits: [{tenant: true, segments: 1, per: 0}]",
            "limits[0].per: must be a whole number from 1 to 2678400, not 0",
        ),
        (
            "limits: [{tenant: true, segments: 1}]",
            "limits[0]: has no `per`: write it as {campaign: alerts, segments: 600, per: minute}",
        ),
        (
            "limits: [{tenant: true, per: day}]",
            "limits[0]: has no `segments`: write it as {campaign: alerts, segments: 600, per: minute}",
        ),
        (
            "limits: [{tenant: true, segments: 1, per: day, deleted: true}]",
            "limits[0]: is deleted, so its segments have no meaning: remove them",
        ),
        (
            "limits: [{tenant: true, segments: 1, per: 60}, {tenant: true, segments: 2, per: minute}]",
            'limits[1]: limit "tenant per minute" stands in line 2 already: keep one of them',
        ),
        (
            "limits: [{tenant: true, segment: 1, segments: 1, per: 60}]",
            'limits[0].segment: there is no key "segment" here. Did you mean "segments"?',
        ),
    ],
)
def test_what_would_lead_to_nothing_is_refused(text: str, says: str) -> None:
    assert mistakes(f"tenant: acme\n{text}") == [says]

"""A dry run tells what decides over a text before it is sent: its price, its way and its limits; and it is true."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.kit.api import CONSUMER, OURS, Api

CURLY = "It’s ready. " * 7  # 84 characters: two parts in UCS-2, one in GSM-7


async def explained(api: Api, **fields: Any) -> Mapping[str, Any]:
    answer = await api.send(params={"dry_run": "true"}, **fields)
    assert answer.status == 200
    return dict(answer.json)


@pytest.fixture
async def routed(api: Api) -> Api:
    """A number with a campaign, a brand, a fallback `backup`, limits, and rates of both carriers."""
    await api.db.execute("update numbers set campaign = 'alerts', brand = 'acme' where tenant_id = 1")
    await api.db.execute("update carriers set currency = 'USD' where tenant_id = 1")
    backup = await api.db.fetchval(
        "insert into carriers (tenant_id, name, type, currency) values (1, 'backup', 'lab', 'EUR') returning carrier_id"
    )
    await api.db.execute(
        "insert into fallbacks (tenant_id, number, position, carrier_id) values (1, $1, 1, $2)", OURS, backup
    )
    await api.db.executemany(
        "insert into limits (tenant_id, scope, name, seconds, segments) values ($1, $2, $3, $4, $5)",
        [
            (1, "number", OURS, 1, 1),
            (1, "number", "+16285550111", 1, 7),
            (1, "campaign", "alerts", 60, 600),
            (1, "campaign", "news", 60, 9),
            (1, "brand", "acme", 86_400, 2_000),
            (1, "carrier", "lab", 2, 30),
            (1, "carrier", "backup", 3, 5),
            (1, "tenant", "", 60, 100),
            (2, "tenant", "", 60, 3),
        ],
    )
    await api.db.execute(
        "insert into rates select 1, c.carrier_id, r.prefix, r.price from carriers c,"
        " (values ('lab', '1', 0.0079), ('lab', '1415', 0.01), ('lab', '14155550199', 5), ('lab', '', 0.2),"
        " ('backup', '1', 0.02)) r (name, prefix, price) where c.tenant_id = 1 and c.name = r.name"
    )
    return api


async def test_price_way_limits_and_end_of_a_text(routed: Api) -> None:
    told = await explained(routed, message="x" * 161)
    assert (told["would_send"], told["segments"]) == (True, 2)
    assert (told["price"], told["currency"]) == ("0.02", "USD")  # the longest prefix counts, for each part
    assert (told["carrier"], told["route"], told["route_reason"]) == ("lab", "main", None)
    assert told["limits"] == [
        {"scope": "number", "name": OURS, "segments": 1, "seconds": 1},
        {"scope": "carrier", "name": "lab", "segments": 30, "seconds": 2},
        {"scope": "campaign", "name": "alerts", "segments": 600, "seconds": 60},
        {"scope": "tenant", "name": "", "segments": 100, "seconds": 60},
        {"scope": "brand", "name": "acme", "segments": 2_000, "seconds": 86_400},
    ]
    assert (told["on_doubt"], told["valid_until"]) == ("hold", "2026-03-03T17:20:51.123Z")
    assert await routed.count("texts") == await routed.count("messages") == 0


async def test_what_was_told_is_what_happens(routed: Api) -> None:
    await routed.set(text_validity_minutes=10, on_doubt="resend")
    told = await explained(routed)
    sent = (await routed.send()).json
    text = await routed.db.fetchrow(
        "select c.name, t.on_doubt, t.valid_until::text from texts t join carriers c on c.tenant_id = t.tenant_id"
        " and c.carrier_id = t.carrier_id where message_id = $1",
        sent["message_id"],
    )
    assert text is not None
    assert (told["carrier"], told["on_doubt"]) == (text["name"], text["on_doubt"]) == ("lab", "resend")
    assert told["valid_until"] == "2026-03-02T17:30:51.123Z"


async def test_a_carrier_that_is_left_is_named_with_its_reason(routed: Api) -> None:
    await routed.db.execute(
        "update numbers set current_carrier_id = (select carrier_id from carriers where name = 'backup'),"
        " current_why = 'down: connection refused' where tenant_id = 1"
    )
    told = await explained(routed)
    assert (told["carrier"], told["route"]) == ("backup", "fallback")
    assert told["route_reason"] == "lab is left: down: connection refused"
    assert (told["price"], told["currency"]) == ("0.02", "EUR")
    assert {"scope": "carrier", "name": "backup", "segments": 5, "seconds": 3} in told["limits"]


async def test_swaps_are_priced(routed: Api) -> None:
    told = await explained(routed, message=CURLY)
    assert (told["encoding"], told["segments"], told["price"]) == ("ucs2", 2, "0.02")
    assert told["swapped"] == {"segments": 1, "encoding": "gsm7", "price": "0.01"}
    told = await explained(routed, message=f"{CURLY}☎")
    assert told["swapped"] == {"segments": 2, "encoding": "ucs2", "price": "0.02"}  # nothing stands for the telephone
    assert (await explained(routed, message="☎"))["swapped"] is None
    assert (await explained(routed, message="plain"))["swapped"] is None


async def test_without_a_rate_the_price_is_not_known(api: Api) -> None:
    told = await explained(api, message=CURLY)
    assert (told["price"], told["currency"], told["limits"]) == (None, None, [])
    assert told["swapped"] == {"segments": 1, "encoding": "gsm7", "price": None}


async def test_what_would_not_be_sent_goes_no_way(routed: Api) -> None:
    await routed.db.execute("insert into opt_outs values (1, $1, now(), 'text')", CONSUMER)
    told = await explained(routed)
    assert (told["would_send"], told["reason"], told["segments"]) == (False, "end_user_opted_out", 1)
    assert (told["carrier"], told["price"], told["valid_until"]) == (None, None, None)

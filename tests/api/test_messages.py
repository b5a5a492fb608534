"""The messages of a chat with what each text cost, who took it, and how much of it has arrived."""

from decimal import Decimal
from typing import Any

from tests.kit.api import Api


async def ledger(api: Api, message_id: int, attempt: int, carrier_id: int, *states: str) -> None:
    """Writes an attempt of a text as the worker does: a row for each part."""
    chat_id = await api.db.fetchval("select chat_id from messages where message_id = $1", message_id)
    for part, state in enumerate(states, 1):
        await api.db.execute(
            "insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, claimed_at, state_at)"
            " values (1, $1, $2, $3, $4, $5, $6, now(), now())",
            message_id, attempt, part, chat_id, carrier_id, state,
        )  # fmt: skip


async def message(api: Api, sent: dict[str, Any]) -> dict[str, Any]:
    return dict((await api.call("GET", f"/apps/api/v1/chats/{sent['id']}/messages")).json[0])


async def test_a_text_of_which_a_part_failed_is_two_of_three(api: Api) -> None:
    sent = (await api.send(message="x" * 400)).json
    one = await message(api, sent)
    assert (one["segments"], one["delivered_segments"]) == (3, 0)
    assert (one["carrier"], one["price"], one["currency"]) == (None, None, None)  # nobody has it yet
    await ledger(api, sent["message_id"], 1, 1, "delivered", "undelivered", "delivered")
    await api.db.execute("update messages set state = 'undelivered', price = 0.023700, currency = 'USD'")
    one = await message(api, sent)
    assert (one["status"], one["segments"], one["delivered_segments"]) == ("undelivered", 3, 2)
    assert (one["carrier"], one["price"], one["currency"]) == ("lab", "0.0237", "USD")
    assert Decimal(one["price"]) == Decimal("0.0079") * 3


async def test_parts_of_two_attempts_make_no_whole_text(api: Api) -> None:
    sent = (await api.send(message="x" * 200)).json
    backup = await api.db.fetchval(
        "insert into carriers (tenant_id, name, type) values (1, 'backup', 'lab') returning carrier_id"
    )
    await ledger(api, sent["message_id"], 1, 1, "delivered", "failed")
    await ledger(api, sent["message_id"], 2, backup, "failed", "delivered")
    one = await message(api, sent)
    assert (one["delivered_segments"], one["carrier"]) == (1, "backup")


async def test_the_consumers_own_words_cost_nothing_and_have_no_receipt(api: Api) -> None:
    sent = (await api.send()).json
    await api.db.execute("update messages set sender = 'end_user'")
    one = await message(api, sent)
    assert (one["delivered_segments"], one["carrier"], one["price"]) == (None, None, None)

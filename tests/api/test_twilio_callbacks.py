"""Twilio's callbacks, signed by its own library: forged ones stay out, valid ones come in, texts move forward only."""

import asyncio
import itertools
import random
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from smsdesk.actions.resolve_doubtful import resolve_doubtful
from smsdesk.domain.text_state import ENDS
from tests.api.posting import sent, set_up
from tests.kit.api import CONSUMER, OURS, Answer, Api

TOKEN, OLD_TOKEN = "the token of now", "the token before"
DOOR = "/callbacks/acme/upstream"
PUBLIC = f"https://sms.example.com{DOOR}"
"""As Twilio sees it, through whatever proxy."""
INBOUND = {"MessageSid": "SM1", "From": CONSUMER, "To": OURS, "Body": "hello & goodbye", "NumMedia": "0"}
EVENTS = ("queued", "sending", "sent", "delivered", "failed")
ERROR = {"failed": "30005", "undelivered": "30003"}


@pytest.fixture
async def upstream(api: Api, monkeypatch: pytest.MonkeyPatch) -> int:
    """A line to Twilio whose token was changed lately: its carrier_id."""
    monkeypatch.setenv("TWILIO_TOKEN", TOKEN)
    monkeypatch.setenv("TWILIO_TOKEN_BEFORE", OLD_TOKEN)
    tokens = {"auth_token": {"env": "TWILIO_TOKEN"}, "previous_auth_token": {"env": "TWILIO_TOKEN_BEFORE"}}
    return await set_up(api, "upstream", "twilio", {"account_sid": "AC0", "callback_url": PUBLIC, **tokens})


def sign(fields: dict[str, str], query: str = "", token: str = TOKEN, url: str = PUBLIC) -> str:
    signature: str = RequestValidator(token).compute_signature(url + (f"?{query}" if query else ""), fields)
    return signature


async def post(
    api: Api, fields: dict[str, str], signature: str | None, query: str = "", headers: dict[str, str] | None = None
) -> Answer:
    more = {"X-Twilio-Signature": signature} if signature is not None else {}
    headers = {"Content-Type": "application/x-www-form-urlencoded", **more, **(headers or {})}
    where = DOOR + (f"?{query}" if query else "")
    return await api.call("POST", where, data=urlencode(fields).encode(), headers=headers, auth=None)


async def report(api: Api, sid: str, status: str, message_id: int) -> Answer:
    fields = {"MessageSid": sid, "MessageStatus": status, "To": CONSUMER, "From": OURS, "AccountSid": "AC0"}
    if status in ERROR:
        fields["ErrorCode"] = ERROR[status]
    query = f"text={message_id}&attempt=1"
    return await post(api, fields, sign(fields, query), query)


PROXY = {
    "Host": "10.0.0.7:8080",
    "X-Forwarded-Host": "elsewhere.example.net",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-For": "203.0.113.9",
    "X-Original-Url": "/another",
}
POOL = {**INBOUND, "To": "+16285550177", "MessagingServiceSid": "MG00000000000000000000000000000000"}


VALID = {
    "now": (INBOUND, sign(INBOUND), {}),
    "old key": (INBOUND, sign(INBOUND, token=OLD_TOKEN), {}),
    "through a proxy that says anything": (INBOUND, sign(INBOUND), PROXY),
    "with the port": (INBOUND, sign(INBOUND, url=PUBLIC.replace(".com/", ".com:443/")), {}),
    "to a number of a pool": (POOL, sign(POOL), {}),
}
"""(fields, signature, headers) of callbacks that Twilio may send."""


async def test_what_is_signed_comes_in(api: Api, upstream: int) -> None:
    """R31: all of it."""
    for name, (fields, signature, headers) in VALID.items():
        await api.db.execute("truncate received, messages cascade")
        answer = await post(api, fields, signature, headers=headers)
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "text/xml", b"<Response/>"), name
        assert await api.db.fetchval("select body from messages") == "hello & goodbye", name


LIE = {**INBOUND, "Body": "a lie"}


FORGED = {
    "missing": (INBOUND, None, ""),
    "empty": (INBOUND, "", ""),
    "garbage": (INBOUND, "not base64, ünd not ASCII", ""),
    "guessed key": (INBOUND, sign(INBOUND, token="a guess"), ""),
    "no key": (INBOUND, sign(INBOUND, token=""), ""),
    "other words": (LIE, sign(INBOUND), ""),
    "one more field": ({**INBOUND, "More": "x"}, sign(INBOUND), ""),
    "other query": (INBOUND, sign(INBOUND), "text=1"),
    "of another tenant": (INBOUND, sign(INBOUND, url=PUBLIC.replace("acme", "other")), ""),
    "of another scheme": (INBOUND, sign(INBOUND, url=PUBLIC.replace("https", "http")), ""),
    "the hash of another body": (LIE, sign({}, "bodySHA256=00"), "bodySHA256=00"),
}
"""(fields, signature, query) of callbacks that Twilio did not send."""


async def test_what_is_forged_stays_out(api: Api, upstream: int) -> None:
    """R31: all of it, whatever a proxy says of it."""
    for name, (fields, signature, query) in FORGED.items():
        for headers in ({}, PROXY):
            answer = await post(api, fields, signature, query, headers)
            assert (answer.status, list(answer.json)) == (403, ["message"]), name
            assert TOKEN not in answer.json["message"]
    assert (await api.count("messages"), await api.count("received")) == (0, 0)


async def test_an_old_key_is_good_until_it_is_taken_away(api: Api, upstream: int) -> None:
    assert (await post(api, INBOUND, sign(INBOUND, token=OLD_TOKEN))).status == 200
    config = {"account_sid": "AC0", "callback_url": PUBLIC, "auth_token": {"env": "TWILIO_TOKEN"}}
    await set_up(api, "upstream", "twilio", config)
    assert (await post(api, INBOUND, sign(INBOUND, token=OLD_TOKEN))).status == 403


async def test_a_replay_changes_nothing(api: Api, upstream: int) -> None:
    """R27 and R31: a right signature that comes again, 1 to 5 times at once and later."""
    replies = [{**INBOUND, "MessageSid": f"SM{n}", "Body": f"reply {n}"} for n in range(15)]
    for _ in range(2):
        posts = [post(api, fields, sign(fields)) for n, fields in enumerate(replies) for _ in range(1 + n % 5)]
        assert {answer.status for answer in await asyncio.gather(*posts)} == {200}
        api.clock.forward(hours=23)
    bodies = await api.db.fetch("select body from messages where sender = 'end_user'")
    assert sorted(row["body"] for row in bodies) == sorted(fields["Body"] for fields in replies)


async def test_receipts_in_any_order_never_move_a_text_back(api: Api, upstream: int) -> None:
    """R11, with 24 of the 5,040 orders of 5 events and 2 repetitions; the store's own tests run them all."""
    orders = list(itertools.permutations((*EVENTS, "delivered", "failed")))
    texts = [
        (await sent(api, upstream, f"SM{n}", number=f"+1415555{n:04}", parts=1 + n % 3), f"SM{n}", order)
        for n, order in enumerate(random.Random(7).sample(orders, 24))
    ]
    await asyncio.gather(*(in_order(api, *text) for text in texts))


async def in_order(api: Api, message_id: int, sid: str, order: tuple[str, ...]) -> None:
    ended: tuple[str, str | None] | None = None
    for event in order:
        assert (await report(api, sid, event, message_id)).status < 300
        seen = await state(api, message_id)
        if ended is None and event in ENDS:
            ended = (event, "unknown_number" if event == "failed" else None)
        assert seen == (ended or ("sent", None)), (order, event)


async def test_a_report_settles_a_text_of_which_nobody_knew(api: Api, upstream: int) -> None:
    """Twilio took all three parts, and its answer was lost: the report names the text, and speaks of the whole."""
    message_id = await sent(api, upstream, "", parts=3)
    await api.db.execute("update texts set state = 'doubtful'")
    await api.db.execute("update parts set state = 'sending', carrier_part_id = null")
    assert (await report(api, "SM1", "delivered", message_id)).status < 300
    assert (await state(api, message_id), await api.count("orphan_receipts")) == (("doubtful", None), 1)
    await resolve_doubtful(api.services.db, api.clock.now)
    assert (await state(api, message_id), await api.count("orphan_receipts")) == (("delivered", None), 0)


async def state(api: Api, message_id: int) -> tuple[str, str | None]:
    async with api.services.db.connection() as conn:
        row = await conn.fetchrow(
            "select coalesce(m.state, t.state), m.reason "
            "from messages m left join texts t using (tenant_id, message_id) where m.message_id = $1",
            message_id,
        )
    return row[0], row[1]

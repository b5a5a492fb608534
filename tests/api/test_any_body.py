"""Anything at all may be sent: the answer is 200 or 4xx with a sentence, and no chat is lost or half-written."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.api import SEED, Api

SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40)
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner)
)
NUMBERS = st.sampled_from(["+1 415-555-0100", "4155550101", "+14155550102 ", "(415) 555-0103"]) | ANYTHING
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "chat_type": st.just(SEED["chat_type"]) | ANYTHING,
        "end_user_number": NUMBERS,
        "outbound_number": st.just(SEED["outbound_number"]) | ANYTHING,
        "message": st.text(min_size=1, max_size=200) | ANYTHING,
        "ticket_id": ANYTHING,
        "agentId": st.just(1) | ANYTHING,
        "agent_id": ANYTHING,
        "agentEmail": st.just("john.doe@foo.com") | ANYTHING,
        "surprise": ANYTHING,
    },
)
QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
WHOLE = """
select count(*) from chats c where not exists (
    select from messages m join texts t using (tenant_id, chat_id, message_id)
    join participants p using (tenant_id, chat_id)
    where m.chat_id = c.chat_id and p.type = 'end_user' and (c.status = 'assigned') = exists (
        select from participants a where a.chat_id = c.chat_id and a.type = 'agent'))
"""


async def held(api: Api, answer: Any) -> None:
    assert answer.status == 200 or 400 <= answer.status < 500, answer.body
    if answer.status != 200:
        assert list(answer.json) == ["message"]
        assert answer.json["message"]
    assert await api.db.fetchval(WHOLE) == 0


@QUICK
@given(body=BODIES)
async def test_any_fields(api: Api, body: dict[str, Any]) -> None:
    before = await api.count("chats")
    answer = await api.call("POST", "/apps/api/v1/sms", json=body)
    await held(api, answer)
    assert await api.count("chats") == before + (answer.status == 200)
    if answer.status == 200:
        kept = await api.db.fetchval("select body from messages where message_id = $1", answer.json["message_id"])
        assert kept == body["message"]


@QUICK
@given(body=st.binary(max_size=300) | ANYTHING.map(lambda value: repr(value).encode("utf-8", "surrogatepass")))
async def test_any_bytes(api: Api, body: bytes) -> None:
    answer = await api.call("POST", "/apps/api/v1/sms", data=body, headers={"Content-Type": "application/json"})
    await held(api, answer)
    assert answer.status != 200


@QUICK
@given(
    key=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=300),
    query=st.text(max_size=40),
)
async def test_any_header_and_query(api: Api, key: str, query: str) -> None:
    answer = await api.send(
        headers={"Idempotency-Key": key.encode("latin-1").decode("latin-1")}, params={"dry_run": query}
    )
    await held(api, answer)

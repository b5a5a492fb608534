"""How many receipts a second the callbacks store, as a share of requests that store nothing.

A command and no test, for its figures are a machine's own: `python -m tests.api.callback_load`. One API process, the
embedded PostgreSQL with its usual durability, 200 connections, 20,000 signed callbacks, each about a text of its own.
"""

import asyncio
from urllib.parse import urlencode, urlsplit

import asyncpg

from smsdesk.bench.load import LoadResult, Plan, load
from smsdesk.carriers.twilio import sign
from smsdesk.postgres import use_cluster
from tests.kit.cluster import own_folder
from tests.kit.processes import Server, serving, until

TEXTS, CONNECTIONS = 20_000, 200
DOOR = "/callbacks/acme/upstream"
PUBLIC = f"https://sms.example.com{DOOR}"
TOKEN = "sesame"
"""What the kit's servers have in UPSTREAM_PASSWORD."""

SETUP = """
insert into tenants values (1, 'acme', '{}', now(), now());
insert into subdomains values ('acme', 1);
insert into carriers (tenant_id, carrier_id, name, type, config) values (1, 1, 'upstream', 'twilio',
    '{"account_sid": "AC0", "callback_url": "%(url)s", "auth_token": {"env": "UPSTREAM_PASSWORD"}}');
insert into end_users (tenant_id, end_user_id, number, created_at)
    select 1, n, '+1' || 2000000000 + n, now() from generate_series(1, %(texts)d) n;
insert into chats (tenant_id, chat_id, end_user_id, outbound_number, direction, status, created_at, ends_at)
    select 1, n, n, '+16285550199', 'outbound', 'finished', now(), now() from generate_series(1, %(texts)d) n;
insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts, created_at)
    select 1, n, n, 'api', 'hello', 'gsm7', 1, now() from generate_series(1, %(texts)d) n;
insert into texts (tenant_id, message_id, chat_id, carrier_id, kind, source, destination, state, due_at, valid_until,
                   attempt, state_at)
    select 1, n, n, 1, 'notice', '+16285550199', '+1' || 2000000000 + n, 'sent', now(), now() + interval '1 day', 1,
           now()
    from generate_series(1, %(texts)d) n;
insert into parts (tenant_id, message_id, attempt, part, chat_id, carrier_id, state, carrier_part_id, claimed_at,
                   state_at)
    select 1, n, 1, 1, n, 1, 'sent', 'SM' || n, now(), now() from generate_series(1, %(texts)d) n;
analyze;
"""


def callback(number: int, token: str) -> bytes:
    """Twilio's report that the text of this number was delivered, as it goes over the wire."""
    query = f"text={number + 1}&attempt=1"
    fields = {"MessageSid": f"SM{number + 1}", "MessageStatus": "delivered", "To": f"+1{2000000001 + number}"}
    body = urlencode(fields)
    signed = f"{PUBLIC}?{query}" + "".join(name + value for name, value in sorted(fields.items()))
    return (
        f"POST {DOOR}?{query} HTTP/1.1\r\nHost: sms.example.com\r\nX-Twilio-Signature: {sign(token, signed)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def measure(server: Server, requests: list[bytes]) -> LoadResult:
    """All of the requests, once."""
    where = urlsplit(server.base_url)
    plan = Plan(str(where.hostname), where.port or 80, CONNECTIONS, requests=len(requests))
    return await load(plan, requests.__getitem__)


def rate(result: LoadResult, status: int) -> float:
    """Answers a second, all of which must have this status."""
    assert (set(result.statuses), result.faults) == ({status}, {}), (result.statuses, result.faults)
    return sum(result.statuses.values()) / result.seconds


async def main() -> None:
    """Measures and prints."""
    bare = [b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"] * TEXTS
    forged, right = [[callback(number, token) for number in range(TEXTS)] for token in ("a guess", TOKEN)]
    with own_folder() as folder:
        async with serving(folder, "api") as server:
            with use_cluster(folder) as dsn:
                db = await asyncpg.connect(dsn)
                await db.execute(SETUP % {"url": PUBLIC, "texts": TEXTS})

                async def seen() -> bool:
                    return 403 in (await measure(server, forged[:1])).statuses

                await until(seen, 5, "the server has seen the set-up")
                yardstick = rate(await measure(server, bare), 405)
                refused = rate(await measure(server, forged), 403)
                result = await measure(server, right)
                stored = rate(result, 204)
                delivered = await db.fetchval("select count(*) from messages where state = 'delivered'")
                await db.close()
            assert delivered == TEXTS, f"{delivered} of {TEXTS} are on disk"
            await server.stop()
    print(f"requests to /health that store nothing: {yardstick:,.0f}/s")
    print(f"forged callbacks refused:               {refused:,.0f}/s, {refused / yardstick:.2f} of that")
    print(f"receipts stored and answered:           {stored:,.0f}/s, {stored / yardstick:.2f} of that,")
    print(f"                                        p50 {result.latency.p50_ms:g} ms, p99 {result.latency.p99_ms:g} ms")


if __name__ == "__main__":
    asyncio.run(main())

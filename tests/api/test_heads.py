"""What is remembered from request to request: heads that were read, and callers who were let in. Both only ever save
work: whoever asks is answered as by a server that remembers nothing."""

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from smsdesk.api.auth import Callers
from smsdesk.api.heads import LONGEST, MOST_KNOWN, Heads
from smsdesk.api.http import Answer, Request
from smsdesk.api.serving import Done, http_server
from smsdesk.domain.tenant import Credential, Tenant
from smsdesk.wiring import listen_at
from tests.api.test_serving import LIMIT, Wire, body_to, post
from tests.kit.api import Api

HEAD = b"POST /path HTTP/1.1\r\ncontent-length: 4\r\n\r\n"
READ = Request({b"content-length": b"4"}, b"a=1", b"body")


def test_a_head_is_known_by_all_of_its_bytes() -> None:
    heads = Heads()
    assert heads.find(HEAD + b"body") is None
    heads.learn(HEAD + b"body", READ)
    known = heads.find(HEAD + b"else")
    assert known is not None
    found = known.request_of(HEAD + b"else")
    assert (found.headers, found.query, found.body) == (READ.headers, b"a=1", b"else")
    assert READ.body == b"body"
    assert heads.find(HEAD.replace(b"path", b"pith") + b"else") is None


@pytest.mark.parametrize("data", [HEAD, HEAD + b"els", HEAD + b"else1", HEAD[:-2], b"", HEAD + b"else" + HEAD])
def test_only_a_whole_request_and_nothing_else_is_found(data: bytes) -> None:
    heads = Heads()
    heads.learn(HEAD + b"body", READ)
    assert heads.find(data) is None


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (HEAD + b"body" + HEAD + b"body", {}),
        (HEAD.replace(b"\r\n\r\n", b"\n\n") + b"body", {}),
        (HEAD + b"4\r\nbody\r\n0\r\n\r\n", {}),
        (HEAD + b"body", {b"idempotency-key": b"1"}),
        (b"POST /" + b"x" * LONGEST + b" HTTP/1.1\r\n\r\nbody", {}),
    ],
)
def test_what_is_not_the_bytes_of_one_request_or_comes_once_is_not_kept(
    data: bytes, headers: dict[bytes, bytes]
) -> None:
    heads = Heads()
    heads.learn(data, Request(headers, b"", b"body"))
    assert heads.find(data) is None


def test_no_more_heads_are_kept_than_may_be() -> None:
    heads = Heads()
    several = [b"POST /%d HTTP/1.1\r\n\r\n" % n for n in range(3 * MOST_KNOWN)]
    for head in several:
        heads.learn(head, Request({}, b""))
    assert 0 < sum(heads.find(head) is not None for head in several) <= MOST_KNOWN


class _Echo:
    """Answers with the body."""

    path = b"/path"

    @property
    def quick(self) -> "_Echo":
        return self

    def refuse(self, in_line: int) -> Answer | None:
        return None

    def take(self, request: Request, done: Done) -> None:
        done((200, request.body, ()))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("all that is asked here is plain")


async def test_a_known_head_is_not_parsed_again() -> None:
    server, listening = http_server(_Echo()), listen_at("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
    answers = []
    for body in (b"body", b"else", b"more"):
        writer.write(HEAD + body)
        answers.append((await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT), await reader.readexactly(4)))
        (connection,) = server.server_state.connections
        connection.parser = None  # type: ignore[union-attr,assignment]
    writer.close()
    server.should_exit = True
    await asyncio.wait_for(serving, LIMIT)
    listening.close()
    assert [body for _, body in answers] == [b"body", b"else", b"more"]
    assert len({head for head, _ in answers}) == 1


async def test_requests_with_a_known_head_are_answered_as_the_first_was(api: Api) -> None:
    """Alone, in pieces, and ahead of their turn; behind them the parser goes on where it stood."""
    async with Wire(api) as wire, Wire(api) as other:
        for place, one in enumerate((wire, wire, other)):
            one.writer.write(post(body_to(100 + place)))
            assert (await one.answer())[0] == 200
        whole = post(body_to(103))
        for piece in (whole[:50], whole[50:]):
            wire.writer.write(piece)
            await wire.writer.drain()
            await asyncio.sleep(0)
        assert (await wire.answer())[0] == 200
        wire.writer.write(post(body_to(104)) + post(body_to(105)))
        assert [(await wire.answer())[0] for _ in range(2)] == [200, 200]
        wire.writer.write(post(body_to(106)))
        assert (await wire.answer())[0] == 200
        wire.writer.write(post(body_to(106)))
        assert (await wire.answer())[0] == 400
    assert await api.count("chats") == 7


def test_a_caller_is_asked_again_where_anything_was_set_up_anew() -> None:
    digest = hashlib.sha256(b"secret").digest()
    tenant = Tenant(1, "acme", credentials={digest: Credential(7, "crm", digest)})
    disabled = replace(tenant, credentials={digest: Credential(7, "crm", digest, disabled=True)})
    callers, basic = Callers(""), b"Basic " + b64encode(b"acme:secret")
    tenants = {"acme": tenant}
    assert callers.find(tenants, basic, b"acme") == (tenant, tenant.credentials[digest])
    assert callers.find(tenants, basic, b"acme") == (tenant, tenant.credentials[digest])
    assert callers.find(tenants, basic[:-4], b"acme") is None
    assert callers.find({"acme": disabled}, basic, b"acme") is None
    assert callers.find({"acme": tenant, "other": tenant}, basic, b"other.example.com") is None

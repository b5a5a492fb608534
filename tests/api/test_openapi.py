"""The published document is true: each of its routes does what all do, and schemathesis sends what the document allows,
and what it does not, to a running server."""

import asyncio
import re
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import aiohttp
import pytest

from tests.kit.api import Api

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
V1 = "/apps/api/v1/"


async def routes(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, a path with ids of nothing, and what the document says of it."""
    document = (await api.call("GET", f"{V1}openapi.json", auth=None)).json
    assert document["openapi"].startswith("3.1")
    return [
        (method.upper(), re.sub(r"\{\w+\}", "999999", path), operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if path.startswith(V1)
    ]


def is_json(operation: dict[str, Any]) -> bool:
    return "application/json" in operation.get("requestBody", {}).get("content", {})


async def test_without_a_credential_no_route_tells_anything(api: Api) -> None:
    for method, path, _ in await routes(api):
        answer = await api.call(method, path, auth=("acme", "wrong"))
        assert (answer.status, answer.json) == (401, {"message": "subdomain or token is wrong"}), f"{method} {path}"
        assert "WWW-Authenticate" in answer.headers


async def test_what_takes_json_takes_nothing_else(api: Api) -> None:
    found = [(method, path) for method, path, operation in await routes(api) if is_json(operation)]
    assert len(found) > 10
    for method, path in found:
        answer = await api.call(method, path, data=b"{}", headers={"Content-Type": "text/plain"})
        assert (answer.status, answer.json) == (
            415, {"message": "Content-Type must be application/json"},
        ), f"{method} {path}"  # fmt: skip


async def test_every_write_looks_at_its_key_before_anything_else(api: Api) -> None:
    for method, path, operation in await routes(api):
        if method != "GET":
            more = {"json": {}} if is_json(operation) else {}
            answer = await api.call(method, path, headers={"Idempotency-Key": "x" * 256}, **more)
            assert answer.json == {"message": "Idempotency-Key must have 1 to 255 characters"}, f"{method} {path}"


async def test_a_body_that_is_no_json_object_is_refused_in_words(api: Api) -> None:
    for method, path, operation in await routes(api):
        if is_json(operation):
            for body in (b"", b"[]", b"{", b"\xff", b'{"a": ' * 9_000):
                answer = await api.call(method, path, data=body, headers={"Content-Type": "application/json"})
                assert answer.status in (400, 404), (method, path, body[:9], answer.body)
                assert list(answer.json) == ["message"]


async def test_a_page_that_cannot_be_is_refused(api: Api) -> None:
    for method, path, operation in await routes(api):
        if {"page", "per"} <= {one["name"] for one in operation.get("parameters", [])}:
            for query in ("page=0", "per=0", "per=1001", "page=x"):
                answer = await api.call(method, f"{path}?{query}")
                assert answer.status == 400, (path, query)
                assert answer.json["message"].startswith(query[: query.index("=")])


async def test_the_page_loads_nothing_from_elsewhere(api: Api) -> None:
    page = await api.call("GET", "/apps/api/v1/docs", auth=None)
    assert page.status == 200
    own = re.findall(rb'(?:src|href)="([^"]+)"', page.body)
    assert len(own) >= 3
    for path in own:
        assert path.startswith(b"/apps/api/v1/docs/")
        assert (await api.call("GET", path.decode(), auth=None)).status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        ("--phases", "examples,fuzzing", "--max-examples", "6"),
        ("--phases", "coverage", "--include-path-regex", "/v1/(chats|end_users|inbound|notices)$"),
    ],
    ids=["every route", "every bound of some"],
)
async def test_schemathesis_finds_no_server_error(api: Api, asked: tuple[str, ...]) -> None:
    await api.send(agentId=1)
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "run", f"{api.base_url}/apps/api/v1/openapi.json", *asked, "--seed", "7", "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "-H", f"Authorization: {aiohttp.encode_basic_auth('acme', 'secret')}", "--no-color",
        stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
    assert await api.db.fetchval(
        "select count(*) from chats c where not exists (select from participants p where p.chat_id = c.chat_id) "
        "or not exists (select from messages m where m.chat_id = c.chat_id)"
    ) == 0  # fmt: skip

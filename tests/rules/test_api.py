"""What is so for every route of the API, read from the document that it publishes."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from smsdesk.api.docs import OPENAPI_PATH
from smsdesk.settings import Settings
from smsdesk.store.db import Database, Ids
from smsdesk.wiring import build_app, build_services

SOURCE = Path(__file__).parents[2] / "src" / "smsdesk"
V1 = "/apps/api/v1/"
WHOLE = {f"{V1}chats/{{chat_id}}/{kind}" for kind in ("photos", "videos", "media")}
"""Lists that are a part of one chat, as long as the chat object has them whole."""


def published() -> dict[str, Any]:
    """The document, as a client gets it; nothing is asked of a database."""
    app = build_app(build_services(Database("postgresql://nowhere"), Ids(), Settings(), lambda _tenant_id: None))
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        said.append(event)

    scope = {
        "type": "http", "method": "GET", "path": OPENAPI_PATH, "raw_path": OPENAPI_PATH.encode(), "headers": [],
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("localhost", 80), "client": ("::1", 1),
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    document: dict[str, Any] = json.loads(b"".join(event.get("body", b"") for event in said))
    return document


DOCUMENT = published()
OPERATIONS = [
    pytest.param(path, method.upper(), operation, id=f"{method.upper()} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if path.startswith(V1)
]


def parameters(operation: dict[str, Any], place: str) -> set[str]:
    return {one["name"] for one in operation.get("parameters", []) if one["in"] == place}


def test_there_are_routes_to_check() -> None:
    assert len(OPERATIONS) > 20


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_write_takes_a_key_and_a_read_does_not(path: str, method: str, operation: dict[str, Any]) -> None:
    takes = "Idempotency-Key" in parameters(operation, "header")
    assert takes == (method != "GET"), f"{method} {path}: put it below {V1}, where api/keys.py sees it"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_list_is_paged(path: str, method: str, operation: dict[str, Any]) -> None:
    found = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if method == "GET" and found.get("type") == "array" and path not in WHOLE:
        assert {"page", "per"} <= parameters(operation, "query"), f"{path}: a list may be longer than an answer"
        assert {"total", "link"} <= operation["responses"]["200"]["headers"].keys()


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_refusal_has_the_one_form(path: str, method: str, operation: dict[str, Any]) -> None:
    refusals = {status: one for status, one in operation["responses"].items() if status >= "400"}
    assert {"400", "401", "429", "503"} <= refusals.keys(), f"{method} {path}: name them with REFUSALS"
    for status, one in refusals.items():
        (media_type, content), *more = one["content"].items()
        assert (media_type, more) == ("application/json", [])
        schema = content["schema"]
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        assert list(schema["properties"]) == ["message"], f"{method} {path}: {status}"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_a_route_says_what_it_is_for(path: str, method: str, operation: dict[str, Any]) -> None:
    for text in (operation.get("summary"), operation.get("description")):
        assert text, f"{method} {path}: a summary, and a docstring that promises something"


def test_names_of_operations_are_their_own() -> None:
    names = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert sorted(names) == sorted(set(names))


def test_what_the_api_writes_is_written_in_transactions() -> None:
    """A key and its effect are one transaction (docs/adr/0026-api-around.md): no write may stand outside."""
    api = SOURCE / "api"
    named = {
        name
        for path in api.rglob("*.py")
        for name in re.findall(r"from smsdesk\.actions\.(\w+) import", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    # A send has keys of its own; what carriers post has names of its own.
    outside = {
        name
        for name in named - {"send_message", "record_receipts"}
        if ".connection()" in (SOURCE / "actions" / f"{name}.py").read_text(encoding="utf-8")
    }
    assert not outside, f"{outside}: use db.transaction(), or `Begin`"

"""The published document is true: schemathesis sends what it allows, and what it does not, to a running server."""

import asyncio
import re
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT

import aiohttp
import pytest

from tests.kit.api import Api

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


async def test_the_document_names_every_route(api: Api) -> None:
    document = (await api.call("GET", "/apps/api/v1/openapi.json", auth=None)).json
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/apps/api/v1/sms",
        "/apps/api/v1/chats",
        "/apps/api/v1/chats/{chat_id}",
        "/apps/api/v1/chats/{chat_id}/message",
        "/apps/api/v1/chats/{chat_id}/messages",
        "/apps/api/v1/costs",
        "/apps/api/v1/texts/doubtful",
        "/apps/api/v1/texts/orphans",
        "/apps/api/v1/texts/{message_id}",
        "/apps/api/v1/texts/{message_id}/settle",
        "/health",
    }


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
async def test_schemathesis_finds_no_server_error(api: Api) -> None:
    await api.send()
    process = await asyncio.create_subprocess_exec(
        SCHEMATHESIS, "run", f"{api.base_url}/apps/api/v1/openapi.json", "--phases", "examples,coverage,fuzzing",
        "--max-examples", "20", "--seed", "7", "--checks",
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

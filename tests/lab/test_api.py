"""The HTTP API and the page."""

import asyncio
import json
from typing import Any

import pytest

from lab.rig import HANDSET, NUMBER, PATIENCE, Rig, running
from smsdesk.carriers.smpp.pdu import BindTransmitter


async def test_handsets_and_texts_in_order(rig: Rig) -> None:
    esme = await rig.bound()
    for number in ("14155550100", "14155550101", "14155550100"):
        await esme.submit(number.encode(), destination_addr=number)
    handsets = await rig.get("/handsets")
    assert [(h["number"], h["arrived"], h["kept"]) for h in handsets] == [
        ("+14155550100", 2, 2),
        ("+14155550101", 1, 1),
    ]
    texts = await rig.get("/texts")
    assert [(t["index"], t["number"]) for t in texts] == [(1, HANDSET), (2, "+14155550101"), (3, HANDSET)]
    assert [t["index"] for t in await rig.get("/texts?after=1&limit=1")] == [2]
    assert [t["index"] for t in await rig.get(f"/handsets/{HANDSET}/texts?after=1")] == [3]
    assert [t["index"] for t in await rig.get("/handsets/1 415-555-0101/texts")] == [2]
    assert await rig.get("/handsets/+14155550199/texts") == []


async def test_two_equal_texts_are_two_entries(rig: Rig) -> None:
    esme = await rig.bound()
    ids = [(await esme.submit(b"the same")).message_id for _ in range(2)]
    assert [(t["body"], t["carrier_ids"]) for t in await rig.texts()] == [
        ("the same", [ids[0]]),
        ("the same", [ids[1]]),
    ]


async def test_all_texts_line_by_line(rig: Rig) -> None:
    esme = await rig.bound()
    esme.send(*[esme.submit_sm(b"%d" % n) for n in range(2500)])
    await esme.passed()
    answer = await rig.http.get("/texts?after=1", headers={"accept": "application/x-ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["body"] for line in answer.text.splitlines()] == [str(n) for n in range(1, 2500)]


async def test_reset_empties_and_never_uses_an_index_again(rig: Rig) -> None:
    esme = await rig.bound(BindTransmitter)
    await esme.submit(b"old", registered_delivery=1)
    await esme.submit(b"\x05\x00\x03\x01\x02\x01first of two", esm_class=0x40)
    assert [(await rig.stats())[name] for name in ("incomplete", "waiting", "kept")] == [1, 1, 1]
    assert (await rig.http.delete("/texts")).json() == {"deleted": 1, "last_index": 1}
    assert [(await rig.stats())[name] for name in ("incomplete", "waiting", "kept", "submitted")] == [0, 0, 0, 0]
    await esme.submit(b"new")
    assert [(t["index"], t["body"]) for t in await rig.get("/texts")] == [(2, "new")]


async def test_the_oldest_texts_go_and_are_counted() -> None:
    async with running(keep_texts=100) as rig:
        esme = await rig.bound()
        esme.send(*[esme.submit_sm(b"%d" % n, destination_addr=f"1415555010{n % 3}") for n in range(250)])
        await esme.passed()
        texts, stats = await rig.get("/texts"), await rig.stats()
        assert [t["body"] for t in texts] == [str(n) for n in range(150, 250)]
        assert (stats["kept"], stats["evicted"], stats["texts"]) == (100, 150, 250)
        assert len(await rig.texts()) == len([n for n in range(150, 250) if n % 3 == 0])


REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("PUT", "/faults", {"drop": 2}, 400, "drop: "),
    ("PUT", "/faults", {"dropp": 1}, 400, "body: Object contains unknown field `dropp`"),
    ("PUT", "/faults", [], 400, "body: Expected `object`"),
    ("POST", f"/handsets/{HANDSET}/reply", {}, 400, "body is required"),
    ("POST", f"/handsets/{HANDSET}/reply", {"body": ""}, 400, "body is required"),
    ("POST", f"/handsets/{HANDSET}/reply", {"body": "hi"}, 400, "to is required"),
    ("POST", f"/handsets/{HANDSET}/reply", {"body": "hi", "to": "x"}, 400, "to: "),
    ("POST", "/handsets/nobody/reply", {"body": "hi", "to": NUMBER}, 400, "'nobody' is not a phone number"),
    ("GET", "/texts?after=-1", None, 400, "after: "),
    ("GET", "/texts?after=x", None, 400, "after: "),
    ("GET", "/nothing", None, 404, "Not Found"),
    ("PATCH", "/texts", {}, 405, "Method Not Allowed"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "message"), REFUSED)
async def test_what_is_wrong_is_said(rig: Rig, method: str, path: str, body: Any, status: int, message: str) -> None:
    answer = await rig.http.request(method, path, json=body)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]
    assert answer.json()["message"].startswith(message)


async def test_a_body_that_is_no_json(rig: Rig) -> None:
    answer = await rig.http.put("/faults", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["message"]


async def test_live_events(rig: Rig) -> None:
    names: list[str] = []
    async with asyncio.timeout(PATIENCE), rig.http.stream("GET", "/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.aiter_lines()
        assert await anext(lines) == ": here"
        esme = await rig.bound()
        await esme.submit(b"hello")
        await rig.type("hi")
        await esme.delivered()
        await esme.close()
        bodies: list[dict[str, Any]] = []
        while names.count("line") < 2 or len(bodies) < len(names):
            line = await anext(lines)
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
            elif line.startswith("data: "):
                bodies.append(json.loads(line.removeprefix("data: ")))
    assert names[0] == "line"
    assert names[1] == "text"
    assert set(names[2:-1]) == {"reply"}
    assert bodies[1]["body"] == "hello"
    assert [body["state"] for body in bodies[2:-1]][-1] == "answered"
    assert (bodies[0]["session"], bodies[-1]["session"]) == ("transceiver", "")


async def test_the_page_shows_both_sides_and_escapes_them(rig: Rig) -> None:
    esme = await rig.bound()
    await esme.submit("<b>1 & 2</b> 🎁".encode("utf-16-be"), data_coding=8)
    await rig.type("<i>typed</i>")
    await esme.delivered()
    await esme.passed()
    page = await rig.http.get("/")
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in page.headers["content-security-policy"]
    assert "&lt;b&gt;1 &amp; 2&lt;/b&gt; 🎁" in page.text
    assert "&lt;i&gt;typed&lt;/i&gt;" in page.text
    assert "<b>1" not in page.text
    assert "from +1 628-555-0199 · 1 part · UCS-2" in page.text
    assert "to +1 628-555-0199 · 1 part · GSM-7 · taken" in page.text
    assert "1 line bound" in page.text
    hostile = await rig.http.get("/", params={"number": '"><script>'})
    assert "<script>" not in hostile.text


async def test_the_page_loads_its_own_files_only(rig: Rig) -> None:
    page = (await rig.http.get("/")).text
    assert "://" not in page
    for path in ("static/handset.css", "static/handset.js"):
        assert f'"{path}"' in page
        answer = await rig.http.get(f"/{path}")
        assert answer.status_code == 200
        assert "://" not in answer.text

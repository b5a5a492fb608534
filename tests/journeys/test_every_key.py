"""Each key of the chat object is alive: docs/every-key.md has a row for it, with what a user does to change it, and the
scene here that does it. Where a row names values, they are seen over HTTP; where it names none, two that differ."""

import asyncio
import base64
import itertools
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from smsdesk import contract
from tests.kit.api import Api
from tests.kit.processes import until
from tests.lab.process import LabProcess
from tests.media import samples

from .scenes import LIMIT, Center, open_center
from .setup_file import DIRECT, PICTURES

Chats = list[dict[str, Any]]
Scene = Callable[[Center], Awaitable[Chats]]
PAGE = Path(__file__).parents[2] / "docs" / "every-key.md"
EXAMPLES = Path(contract.__file__).parent / "examples.yaml"


# The scenes: each gives the chats that were seen in it, in their order


async def menu(center: Center) -> Chats:
    """A text of ours is answered, and the menu by a digit; another phone texts the keyword of the Spanish queue."""
    phone, other = center.phone(), center.phone()
    sent = await center.send(phone, "Your order has left.")
    long = await center.send(center.phone(), "Your order has left. " * 16)
    await center.screen(phone, 1)
    await center.write(phone, "Where is it?")
    await center.screen(phone, 2)
    await center.write(phone, "2")
    await center.write(other, "ESPANOL")
    return [sent, long, await center.chat_of(phone, status="queued"), await center.chat_of(other, status="queued")]


async def agent(center: Center) -> Chats:
    """An agent accepts a chat, is joined by a supervisor, has the consumer verified, and ends it; the consumer rates
    it. Another chat is given to an agent without asking."""
    phone, other = center.phone(), center.phone()
    await center.write(phone, "CARE")
    waiting = await center.chat_of(phone, status="queued")
    await center.a_second()
    await center.ready("care-1", "auto-1")
    chat_id = (await center.chat_of(phone, offer_type="deltacast"))["id"]
    accepted = await center.does("care-1", chat_id, "accept")
    joined = await center.does("boss", chat_id, "join")
    await center.answers("care-1", chat_id, "Good morning.")
    await center.call("POST", f"/chats/{chat_id}/verification")
    code = re.search(r"\d{6}", (await center.screen(phone, 3))[-1])
    assert code
    await center.write(phone, code[0])
    spoken = await center.shows(chat_id, verified=True)
    await center.a_second()
    ended = await center.finishes("care-1", chat_id)
    await center.screen(phone, 4)
    await center.write(phone, "4 - friendly")
    await center.write(other, "AUTO")
    given = await center.chat_of(other, status="assigned")
    return [waiting, accepted, joined, spoken, ended, await center.shows(chat_id, rating=4), given]


async def groups(center: Center) -> Chats:
    """Two agents are asked for a chat one after the other, and then a group for another chat."""
    phone, other = center.phone(), center.phone()
    await center.ready("alone-1", "alone-2", "teams-1")
    await center.write(phone, "ALONE")
    asked = await center.chat_of(phone, offer_type="deltacast")
    offers = [await center.call("GET", f"/agents/{center.agents[name]}/offers") for name in ("alone-1", "alone-2")]
    first = "alone-1" if offers[0] else "alone-2"
    again = await center.does(first, asked["id"], "decline")
    await center.write(other, "TEAMS")
    return [asked, again, await center.chat_of(other, offer_type="cascade")]


async def transfers(center: Center) -> Chats:
    """A chat goes from an agent to the supervisors and back; before that a supervisor declines to join it. At the end
    the queue is deleted."""
    phone = center.phone()
    mine = await center.with_agent(phone, "MOVES", "moves-1")
    chat_id, moves = mine["id"], center.queues["Desk/Moves"]
    await center.ready("boss")
    warm = await center.transfers(
        "moves-1", chat_id, to_agent_id=center.agents["boss"], kind="warm", note="Please look"
    )
    declined = await center.does("boss", chat_id, f"transfers/{warm['transfers'][0]['id']}/decline")
    queues = await center.call("GET", "/queues", params={"per": "1000"})
    (supervisors,) = (queue["id"] for queue in queues if queue["purpose"] == "supervisors")
    await center.transfers("moves-1", chat_id, to_queue_id=supervisors)
    given = await center.client.chat(chat_id)
    await center.a_second()
    taken = await center.does("boss", chat_id, "accept")
    await center.a_second()
    await center.transfers("boss", chat_id, to_queue_id=moves)
    back = await center.does("moves-1", chat_id, "accept")
    await center.transfers("moves-1", chat_id, to_queue_id=moves)
    ended = await center.call("PATCH", f"/chats/{chat_id}", json={"chat": {"status": "finished"}})
    queues = [{"name": "Desk", "children": [{"name": "Moves", "deleted": True}]}]
    await center.apply(queues=queues)
    return [mine, warm, declined, given, taken, back, ended, await center.client.chat(chat_id)]


async def numbers(center: Center) -> Chats:
    """Texts to an agent's own number and to the company's; one of the consumers opts out."""
    phone, other = center.phone(), center.phone()
    await center.write(phone, "Is that you?", DIRECT)
    await center.write(other, "OLD")
    waiting = await center.chat_of(other, status="queued")
    await center.write(other, "STOP")
    return [await center.chat_of(phone, status="assigned"), waiting, await center.shows(waiting["id"], status="failed")]


async def tickets(center: Center) -> Chats:
    """Sends that name tickets, to consumers whom the CRM knows; then we are told who one of them is."""
    phones = center.phone(), center.phone()
    chats = []
    for number, phone in enumerate(phones):
        center.crm.contacts[phone] = f"C-{number}"
        center.crm.tickets.add(f"T-{number}")
        sent = await center.send(phone, "About your ticket", ticket_id=f"T-{number}")
        chats += [sent, await center.shows(sent["id"], out_ticket_id=f"T-{number}")]
    await center.call("POST", f"/chats/{sent['id']}/end_user", json={"identifier": "customer-7"})
    return [*chats, await center.client.chat(sent["id"])]


async def pictures(center: Center) -> Chats:
    """A consumer sends pictures and a film, and an agent one picture back."""
    phone = center.phone()
    files = [samples.jpeg(), samples.png(), samples.film(), samples.film(brand=b"mp42")]
    media = [base64.b64encode(file).decode() for file in files]
    await center.write(phone, "Look at these", PICTURES, media=media)
    chat = await center.chat_of(phone, status="queued")

    async def fetched() -> bool:
        kept = await center.call("GET", f"/chats/{chat['id']}/media")
        return [one["status"] for one in kept] == ["kept"] * 4

    await until(fetched, LIMIT, "the files are kept")
    seen = await center.client.chat(chat["id"])
    file = {"content": base64.b64encode(samples.gif()).decode()}
    (upload,) = await center.call("POST", f"/chats/{chat['id']}/photos", json={"files": [file]})
    await center.ready("pictures-1")
    await center.does("pictures-1", chat["id"], "accept")
    sent = await center.answers("pictures-1", chat["id"], "Like this?", media_ids=[upload["media_id"]])
    assert sent.status == 200, sent.body
    return [chat, seen, await center.client.chat(chat["id"])]


SCENES: dict[str, Scene] = {
    scene.__name__: scene for scene in (menu, agent, groups, transfers, numbers, tickets, pictures)
}


# The table


def rows() -> dict[str, tuple[str, list[str]]]:
    """Scene and named values of each key, as the page has them. `{from,to}_menu` are two keys."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in re.findall(r"^\| `.*\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        key, _, values, scene = (cell.strip() for cell in line.strip("|").split("|"))
        for one in spread(key.strip("`")):
            assert one not in found, f"{one} is there twice"
            found[one] = (scene.strip("`"), re.findall(r"`([^`]*)`", values))
    return found


def spread(key: str) -> list[str]:
    """The keys that one with alternatives in braces stands for."""
    parts = [part.split(",") if place % 2 else [part] for place, part in enumerate(re.split(r"[{}]", key))]
    return ["".join(each) for each in itertools.product(*parts)]


ROWS = rows()


def values(seen: Any, path: str) -> Iterator[str]:
    """What stands at a path, such as `participants[].status`, as JSON; a key that is not there is `absent`."""
    name, _, rest = path.partition(".")
    if name.removesuffix("[]") not in seen:
        yield "absent"
        return
    here = seen[name.removesuffix("[]")]
    if not rest:
        yield json.dumps(here, ensure_ascii=False, sort_keys=True)
        return
    for one in here if name.endswith("[]") else [here]:
        if one is not None:
            yield from values(one, rest)


def keys(shown: Any, path: str = "") -> Iterator[str]:
    """All paths in an object."""
    for name, value in shown.items():
        many = isinstance(value, list)
        yield f"{path}{name}"
        for one in value if many else [value]:
            if isinstance(one, dict):
                yield from keys(one, f"{path}{name}{'[]' if many else ''}.")


def described(schemas: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """All paths that a schema of the server's OpenAPI document has."""
    if "$ref" in schema:
        yield from described(schemas, schemas[schema["$ref"].rpartition("/")[2]], path)
    for each in (*schema.get("oneOf", []), *schema.get("anyOf", [])):
        yield from described(schemas, each, path)
    if "items" in schema:
        yield from described(schemas, schema["items"], f"{path[:-1]}[].")
    for name, value in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from described(schemas, value, f"{path}{name}.")


async def test_each_key_changes_in_its_scene(lab: LabProcess, database: str, tmp_path: Path) -> None:
    """All in one test, since all scenes go on beside each other in one center."""
    async with open_center(lab, database, tmp_path) as center:
        shown = await asyncio.gather(*(scene(center) for scene in SCENES.values()))
    seen = dict(zip(SCENES, shown, strict=True))
    faults = [fault for key, (scene, named) in ROWS.items() for fault in judged(key, seen[scene], named)]
    assert not faults, "\n".join(faults)
    assert {key for chats in shown for chat in chats for key in keys(chat)} == ROWS.keys()


def judged(key: str, chats: Chats, named: list[str]) -> Iterator[str]:
    """What is wrong with a row, given what its scene has shown."""
    found = list(dict.fromkeys(value for chat in chats for value in values(chat, key)))
    if len(found) < 2:
        yield f"{key} is always {found}"
    missing = [value for value in named if value not in (*found, *(one.strip('"') for one in found))]
    if missing:
        yield f"{key} is {found}, but never {missing}"


async def test_the_table_has_every_key_that_the_api_describes_and_no_other(api: Api) -> None:
    document = (await api.call("GET", "/apps/api/v1/openapi.json")).json
    schemas = document["components"]["schemas"]
    assert set(described(schemas, schemas["SentChatObject"])) == ROWS.keys()


def test_the_table_has_every_key_of_the_page_that_is_imitated() -> None:
    shown = [json.loads(one["response"]) for one in YAML(typ="safe").load(EXAMPLES) if one["status"] == 200]
    assert shown
    missing = {key for chat in shown for key in keys(chat)} - ROWS.keys()
    assert not missing, f"no row for {missing}"

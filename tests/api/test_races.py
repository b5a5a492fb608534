"""A whole desk at once: agents come and go, accept, give on and end while consumers write and the sweeps run."""

import asyncio
from random import Random
from typing import Any

import pytest

from tests.api.desk import V1, Desk
from tests.kit.api import Answer, Api

AGENTS = range(11, 17)
ROUNDS = 12

OWNED_TWICE = """
select c.chat_id from chats c
where c.ends_at is null and c.status in ('assigned', 'ongoing') and 1 <> (
    select count(*) from participants p
    where p.chat_id = c.chat_id and p.user_id = c.agent_id and p.status = 'connected' and p.ended_at is null)
"""
DRIFTED = """
select s.agent_id from agent_statuses s where s.load <>
    (select count(*) from chats c where c.agent_id = s.agent_id and c.status in ('assigned', 'ongoing'))
    + (select count(*) from offers o where o.agent_id = s.agent_id and o.state = 'open' and o.reserves)
    + (select count(*) from wrap_ups w where w.agent_id = s.agent_id and w.ended_at is null)
"""
STRANDED = """
select t.chat_id from transfers t
where t.status = 'transferring' and t.to_agent_id is not null and t.connected_at is null and not exists (
    select from offers o where o.chat_id = t.chat_id and o.agent_id = t.to_agent_id and o.state = 'open')
"""


@pytest.mark.parametrize("settings", [{"routing": "multicast"}, {"routing": "deltacast"}, {"auto_answer": True}])
async def test_whatever_happens_at_once_each_chat_has_one_owner_and_no_place_is_lost(
    api: Api, settings: dict[str, Any]
) -> None:
    desk = await Desk.make(api, agents=len(AGENTS), wrap_up_seconds=1, **settings)
    answers: list[Answer] = []
    await asyncio.gather(*(_work(desk, agent_id, answers) for agent_id in AGENTS), _write(desk), _sweep(desk))
    assert {answer.status for answer in answers} <= {200, 201, 400, 409}, [answer.json for answer in answers]
    assert sum(answer.status < 300 for answer in answers) > len(AGENTS) * ROUNDS
    for broken in (OWNED_TWICE, DRIFTED, STRANDED):
        assert await api.db.fetch(broken) == [], broken


async def _work(desk: Desk, agent_id: int, answers: list[Answer]) -> None:
    """An agent's day, by the numbers of his id."""
    chance = Random(agent_id)
    for _ in range(ROUNDS):
        answers.append(await desk.status(agent_id, chance.choice(["available", "available", "break"])))
        for offer in (await desk.get(f"agents/{agent_id}/offers"))[:2]:
            said = chance.choice(["accept", "accept", "decline"])
            answers.append(await desk.does(offer["chat_id"], said, agent_id))
        for chat in (await desk.get(f"agents/{agent_id}/chats"))[:2]:
            answers.append(await _act(desk, chat["chat_id"], agent_id, chance))


async def _act(desk: Desk, chat_id: int, agent_id: int, chance: Random) -> Answer:
    what = chance.choice(["answer", "end", "give"])
    if what == "answer":
        return await desk.answers(chat_id, agent_id)
    if what == "end":
        body = {"chat": {"status": "finished"}, "finished_by_user_id": agent_id}
        return await desk.api.call("PATCH", f"{V1}/chats/{chat_id}", json=body)
    to = chance.choice([one for one in AGENTS if one != agent_id])
    kind = chance.choice(["warm", "cold"])
    return await desk.does(chat_id, "transfers", from_agent_id=agent_id, to_agent_id=to, kind=kind, force=True)


async def _write(desk: Desk) -> None:
    for _ in range(4 * len(AGENTS)):
        await desk.writes()


async def _sweep(desk: Desk) -> None:
    for _ in range(ROUNDS):
        await desk.sweep()

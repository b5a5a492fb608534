"""The proofs hold, and would say so if they did not."""

import json
import subprocess
import sys
from random import Random
from typing import Any

import asyncpg
import pytest

from smsdesk.prove.clients import Clients, phone, words
from smsdesk.prove.never_twice import TARGETS, ProofPlan, judge
from smsdesk.prove.owners import Typed, find_faults
from smsdesk.prove.points import POINTS
from tests.kit.center import Center
from tests.store.outbox import opened

LIMIT = 180


def prove(*words_: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "smsdesk", "prove", *words_, "--json"],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_never_twice_at_every_named_moment_and_at_others() -> None:
    code, verdict = prove("never-twice", "--texts", "500", "--kills", "10", "--seed", "11")
    assert (code, verdict["kept"], verdict["lost"], verdict["doubled"]) == (0, True, [], [])
    assert (verdict["accepted"], sum(verdict["kills"].values())) == (500, 10)
    assert set(POINTS) < set(verdict["kills"])
    assert verdict["arrived"] + len(verdict["doubtful"]) >= 500


@pytest.mark.slow
def test_stop() -> None:
    code, verdict = prove("stop", "--rounds", "2", "--texts", "300", "--seed", "5")
    assert (code, verdict["kept"], verdict["after_stop"], verdict["confirmations"]) == (0, True, [], [1, 1])
    assert verdict["stopped"] > 20
    assert verdict["refused"] > 20


@pytest.mark.slow
def test_pace() -> None:
    code, verdict = prove("pace", "--seconds", "8", "--kills", "1", "--seed", "5")
    assert [held for held in verdict["limits"] if held["passed_at"] is not None] == []
    assert len(verdict["limits"]) == 4
    assert verdict["answers"] >= 1
    assert (code == 0) == verdict["kept"], "a busy machine may not use the limits to 95 %; then it says so"


@pytest.mark.slow
def test_replies() -> None:
    code, verdict = prove("replies", "--replies", "100", "--kills", "4", "--seed", "5")
    wrong = {name: verdict[name] for name in ("lost", "doubled", "unowned", "two_owners")}
    assert not any(wrong.values()), wrong
    assert (code, verdict["kept"], verdict["replies"]) == (0, True, 100)
    assert verdict["kills"] == {"API": 1, "worker": 1, "PostgreSQL": 1, "line": 1}
    assert verdict["answers"] > 0
    assert verdict["offers"] > 0


class Rows:
    """A rig of which the judge sees the rows alone."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        conn = await asyncpg.connect(self._dsn)
        try:
            return [tuple(row) for row in await conn.fetch(query)]
        finally:
            await conn.close()


async def test_the_judge_of_replies_sees_what_is_wrong(database: str) -> None:
    db = await opened(database)
    center = await Center(db).begin()
    queue = await center.queue("Q")
    agent = await center.agent("a", queue)
    chats = [await center.chat(queue) for _ in range(3)]
    await center.take(chats[0], agent)
    for n, chat in enumerate(chats):
        await center.value("insert into messages (tenant_id, chat_id, message_id, sender, body, encoding, parts,"
                           " created_at) values (1, $1, $2, 'end_user', 'hello', 'gsm7', 1, $3) returning 1",
                           chat, 10_000 + n, center.now)  # fmt: skip
    phones = [row[0] for row in await center.rows("select number from end_users order by number")]
    typed = [Typed(number, "hello", taken=True) for number in phones]
    rig: Any = Rows(database)
    fair = await find_faults(rig, typed)
    assert (fair.lost, fair.doubled, fair.unowned, fair.two_owners, fair.replies) == ([], [], [], [], 3)

    found = await find_faults(rig, [*typed[1:], Typed(phones[1], "more", taken=True)])
    assert (len(found.lost), len(found.doubled)) == (1, 1)

    await center.value("update queues set deleted_at = now() where queue_id = $1 returning 1", queue)
    assert len((await find_faults(rig, typed)).unowned) == 2
    await center.value("update agents set disabled_at = now() returning 1")
    assert len((await find_faults(rig, typed)).unowned) == 3
    await center.value("update participants set status = 'finished' where type = 'agent' returning 1")
    assert len((await find_faults(rig, typed)).two_owners) == 1
    await center.value("insert into messages (tenant_id, chat_id, message_id, sender, agent_id, body, encoding, parts,"
                       " created_at) values (1, $1, 20000, 'agent', $2, 'x', 'gsm7', 1, $3) returning 1",
                       chats[1], agent, center.now)  # fmt: skip
    assert len((await find_faults(rig, typed)).two_owners) == 2
    await db.close()


def test_a_seed_says_what_is_killed_and_when() -> None:
    strikes = ProofPlan(1000, 50, 7).strikes()
    assert strikes == ProofPlan(1000, 50, 7).strikes() != ProofPlan(1000, 50, 8).strikes()
    assert {target for _, target in strikes} == {*TARGETS, *POINTS}
    assert all(sum(target == name for _, target in strikes) >= 2 for name in POINTS), "each named moment in turn"
    assert [moment for moment, _ in strikes] == sorted(moment for moment, _ in strikes)


def test_each_send_is_another_phone_and_other_words() -> None:
    assert len({phone(number) for number in range(30_000)}) == 30_000
    assert len({words(number) for number in range(3_000)}) == 3_000


def accepted(count: int) -> Clients:
    return Clients("", Random(1), accepted=set(range(count)))


@pytest.mark.parametrize(
    ("states", "arrived", "broken"),
    [
        ([(1, "a", "delivered"), (2, "b", "delivered")], [("a", 1), ("b", 1)], ""),
        ([(1, "a", "delivered"), (2, "b", "doubtful")], [("a", 1)], ""),
        ([(1, "a", "delivered"), (2, "b", "doubtful")], [("a", 1), ("b", 1)], ""),
        ([(1, "a", "delivered"), (2, "b", "delivered")], [("a", 1)], "lost"),
        ([(1, "a", "delivered")], [("a", 1)], "lost"),
        ([(1, "a", "delivered"), (2, "b", "delivered")], [("a", 1), ("b", 1), ("b", 1)], "doubled"),
        ([(1, "a", "delivered"), (2, "b", "delivered")], [("a", 1), ("b", 2)], "doubled"),
        ([(1, "a", "delivered"), (2, "a", "delivered")], [("a", 1)], "doubled"),
    ],
    ids=[
        "all there",
        "doubtful",
        "doubtful and there",
        "not there",
        "not stored",
        "twice",
        "a part twice",
        "stored twice",
    ],
)
def test_what_counts_as_broken(states: list[tuple[int, str, str]], arrived: list[tuple[str, int]], broken: str) -> None:
    verdict = judge(ProofPlan(2, 0, 1), accepted(2), {}, states, arrived)
    assert verdict.kept is not bool(broken)
    assert bool(verdict.lost) is (broken == "lost") or broken == "doubled"
    assert bool(verdict.doubled) is (broken == "doubled")

"""The main job behind a real pgbouncer that gives each transaction any of few connections."""

import asyncio
import re
from random import Random

import pytest

from smsdesk.bench.pooler import Pooler, pooler, program
from smsdesk.bench.rig import Rig, rig, run
from smsdesk.prove.clients import Clients
from smsdesk.prove.never_twice import ProofPlan, Verdict, judge, settled

PLAN = ProofPlan(texts=400, kills=1, seed=5)


@pytest.mark.slow
@pytest.mark.skipif(program() is None, reason="pgbouncer is not installed")
def test_nothing_is_lost_or_doubled_behind_a_pooler_of_transactions_that_dies_in_between() -> None:
    with rig() as built, pooler(built.dsn, "transaction", size=2) as way:
        built.lab()
        serving = built.serve(
            "all", "--workers", "2", "--port", "0",
            environ={"SMSDESK_DATABASE_URL": way.dsn, "SMSDESK_DATABASE_DIRECT_URL": built.dsn},
        )  # fmt: skip
        address = re.search(r"http://\S+", serving.first_line())
        assert address
        verdict = run(_job(built, way, address[0]))
        assert (verdict.kept, verdict.lost, verdict.doubled) == (True, [], [])
        assert verdict.arrived + len(verdict.doubtful) >= PLAN.texts
        listening = run(built.rows("select count(*) from pg_stat_activity where query ilike 'listen %'"))
        assert listening == [(3,)], "each process hears the hints past the pooler, in a session of its own"
        prepared = run(built.rows("select count(*) from pg_stat_activity where application_name = '' and datname ="
                                  " 'smsdesk' and query not ilike 'listen %' and pid <> pg_backend_pid()"))  # fmt: skip
        assert prepared[0][0] <= 2, "all else goes over the pooler's two connections"


async def _job(built: Rig, way: Pooler, address: str) -> Verdict:
    clients = Clients(built.token, Random(PLAN.seed), address)
    sending = asyncio.create_task(clients.send(PLAN.texts))
    while len(clients.accepted) < PLAN.texts // 2:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await asyncio.to_thread(way.kill)
    await sending
    states, arrived = await settled(built)
    return judge(PLAN, clients, {"pooler": 1}, states, arrived)

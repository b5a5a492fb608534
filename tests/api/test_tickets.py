"""What the CRM has not done, as the API lists it, and trying it again."""

from datetime import timedelta
from typing import Any

import pytest

from tests.crm.desk import add_job
from tests.kit.api import Api

PATH = "/apps/api/v1/tickets/jobs"


@pytest.fixture
async def jobs(api: Api) -> Api:
    """A chat with a job of each kind: one waits after a failure, one failed, one is done; and one of another tenant."""
    sent = (await api.send()).json
    chat_id, now = sent["id"], api.clock()
    await api.db.execute("delete from crm_jobs")
    for job_id, kind in ((5, "contact"), (6, "link"), (7, "transcript")):
        await add_job(api.db, 1, job_id, chat_id, kind, now + timedelta(seconds=job_id))
    await api.db.execute("update crm_jobs set reason = 'the CRM answered 503', attempt = 2 where job_id = 5")
    await api.db.execute("update crm_jobs set state = 'failed', reason = 'no ticket 35', attempt = 1 where job_id = 6")
    await api.db.execute("update crm_jobs set state = 'done', attempt = 1 where job_id = 7")
    other = (
        await api.send(
            end_user_number="+1 415-555-0177", outbound_number="+1 628-555-0188", auth=("other", "other-secret")
        )
    ).json
    await add_job(api.db, 2, 8, other["id"], "transcript", now)
    return api


async def test_what_waits_and_what_failed(jobs: Api) -> None:
    answer = await jobs.call("GET", PATH)
    assert (answer.status, answer.headers["total"]) == (200, "2")
    waiting, failed = answer.json
    assert waiting == {
        "id": 5,
        "chat_id": waiting["chat_id"],
        "kind": "contact",
        "status": "queued",
        "attempts": 2,
        "reason": "the CRM answered 503",
        "created_at": "2026-03-02T17:20:56.123Z",
        "next_attempt_at": "2026-03-02T17:20:56.123Z",
    }
    assert (failed["id"], failed["status"], failed["reason"], failed["next_attempt_at"]) == (
        6, "failed", "no ticket 35", None
    )  # fmt: skip


@pytest.mark.parametrize(("query", "ids"), [("?status=failed", [6]), ("?status=queued", [5]), ("?per=1&page=2", [6])])
async def test_a_part_of_the_list(jobs: Api, query: str, ids: list[int]) -> None:
    assert [one["id"] for one in (await jobs.call("GET", PATH + query)).json] == ids


async def row(api: Api, job_id: int) -> Any:
    return tuple(await api.db.fetchrow("select state, attempt, due_at from crm_jobs where job_id = $1", job_id))


async def test_a_failed_job_and_one_that_waits_are_tried_again(jobs: Api) -> None:
    jobs.clock.forward(hours=1)
    for job_id in (5, 6):
        answer = await jobs.call("POST", f"{PATH}/{job_id}/retry")
        assert (answer.status, answer.json) == (200, {"jobs": 1})
        assert await row(jobs, job_id) == ("queued", 0, jobs.clock())


async def test_one_that_is_done_or_being_done_is_not(jobs: Api) -> None:
    await jobs.db.execute("update crm_jobs set reason = null where job_id = 5")
    before = [await row(jobs, job_id) for job_id in (5, 7)]
    for job_id in (5, 7):
        answer = await jobs.call("POST", f"{PATH}/{job_id}/retry")
        assert answer.status == 400
        assert "nothing to try again" in answer.json["message"]
    assert [await row(jobs, job_id) for job_id in (5, 7)] == before


@pytest.mark.parametrize("job_id", [8, 4711])
async def test_another_tenant_s_job_is_not_there(jobs: Api, job_id: int) -> None:
    assert (await jobs.call("POST", f"{PATH}/{job_id}/retry")).status == 404


async def test_all_that_failed_is_tried_again(jobs: Api) -> None:
    jobs.clock.forward(hours=1)
    assert (await jobs.call("POST", f"{PATH}/retry")).json == {"jobs": 1}
    assert await row(jobs, 6) == ("queued", 0, jobs.clock())
    assert (await row(jobs, 5))[1] == 2, "what waits goes on waiting"

"""Something to do again and again, whatever happens to it once."""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from smsdesk.store.db import TRY_AGAIN
from smsdesk.store.groups import AWAY

AFTER_FAILURE = 0.5
"""Seconds at least between a failure and the next run: a database that is away is not asked without a pause."""


async def repeat(name: str, seconds: float, job: Callable[[], Awaitable[object]], log: FilteringBoundLogger) -> None:
    """Runs the job, waits so many seconds, and so on until cancelled. One that fails is logged and run again; one that
    is cancelled has come to its end when this has."""
    while True:
        task = asyncio.ensure_future(job())
        try:
            await asyncio.wait({task})
        finally:
            if task.cancel():
                await asyncio.wait({task})
        error = None if task.cancelled() else task.exception()
        report(name, error, log)
        await asyncio.sleep(seconds if error is None else max(seconds, AFTER_FAILURE))


def report(name: str, error: BaseException | None, log: FilteringBoundLogger) -> None:
    """Logs what a job died of; that the database is away is no error of the job."""
    if isinstance(error, (*AWAY, *TRY_AGAIN)) and not isinstance(error, ValueError):
        log.warning("database away", job=name, error=type(error).__name__)
    elif error is not None:
        log.error("job failed", job=name, exc_info=error)

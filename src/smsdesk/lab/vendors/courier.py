"""Brings callbacks to customers, and again as long as the vendor's documentation says that it does."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from smsdesk.lab.vendors.account import blocked
from smsdesk.lab.vendors.exchange import Callback
from smsdesk.lab.vendors.vendor import Retries, Sending

_CONNECTIONS = 64
_MOST_WAITING = 100_000


@dataclass(slots=True)
class CallbackCounts:
    """What became of a vendor's callbacks."""

    callbacks: int = 0
    """First tries."""
    repeats: int = 0
    given_up: int = 0
    blocked: int = 0
    """Not sent: their host is not allowed."""
    problem: str = ""
    """What went wrong last, without texts or numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One callback to bring. `write` writes it anew for each try."""

    url: str
    retries: Retries
    write: Callable[[Sending], Callback]
    counts: CallbackCounts
    tried: Callable[[int], None] = lambda _: None
    """Told of each try that leaves, by its number from 1."""
    ended: Callable[[bool], None] = lambda _: None
    """Told at the end whether it was taken."""
    lost: Callable[[], bool] = lambda: False
    """Whether the lab takes an answer that came for lost."""


class Courier:
    """Posts for all vendors. `pace` scales the waits between tries, `allowed` are hosts beside this machine."""

    def __init__(self, pace: float, allowed: tuple[str, ...], now: Callable[[], float]) -> None:
        self._pace = pace
        self._allowed = allowed
        self._now = now
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def refuses(self, url: str) -> str | None:
        """Why nothing is sent to `url`; None where it is."""
        return blocked(url, self._allowed)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs `work` beside all else, until `close` at the latest."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def bring(self, errand: Errand) -> None:
        """Ends after the first try; further ones go on beside all else."""
        why = self.refuses(errand.url)
        if why is not None or len(self._tasks) > _MOST_WAITING:
            errand.counts.blocked += 1
            errand.counts.problem = why or "too many callbacks wait"
            errand.ended(False)
            return
        errand.counts.callbacks += 1
        failure = await self._try(errand, 1)
        if failure is None:
            errand.ended(True)
        elif failure in errand.retries.on and errand.retries.waits:
            self.start(self._again(errand))
        else:
            self._give_up(errand)

    async def _again(self, errand: Errand) -> None:
        for attempt, wait in enumerate(errand.retries.waits, 2):
            await asyncio.sleep(wait * self._pace)
            errand.counts.repeats += 1
            failure = await self._try(errand, attempt)
            if failure is None:
                errand.ended(True)
                return
            if failure not in errand.retries.on:
                break
        self._give_up(errand)

    def _give_up(self, errand: Errand) -> None:
        errand.counts.given_up += 1
        errand.ended(False)

    async def _try(self, errand: Errand, attempt: int) -> str | None:
        """What went wrong, as `Retries.on` names it; None where nothing did."""
        callback = errand.write(Sending(errand.url, self._now(), attempt))
        errand.tried(attempt)
        status = await self.post(callback, errand.retries.timeout)
        if isinstance(status, str) or not 200 <= status < 300:
            errand.counts.problem = status if isinstance(status, str) else f"answered {status}"
            return status if isinstance(status, str) else f"{status // 100}xx"
        return "connect" if errand.lost() else None

    async def post(self, callback: Callback, timeout: float) -> int | str:
        """The status that a callback is answered with; `connect` or `timeout` where there is none."""
        if self._http is None:
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS)
            self._http = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._http.request(
                callback.method,
                URL(callback.url, encoded=True),
                headers=callback.headers,
                data=callback.body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as answer:
                return answer.status
        except TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError, ValueError):
            return "connect"

    async def close(self) -> None:
        """Ends all that is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

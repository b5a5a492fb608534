"""Groups: what waits while a statement is in flight shares the next one. No timer, so a quiet system waits for nothing.

A group ends in one of four ways: it is done; its data is bad (then its members run one by one, so that a bad one fails
alone); it met another group crosswise (run again); or the database is away (then it fails as a whole, or, with
`keep=True`, is run again until the database is back).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

import asyncpg

from smsdesk.store.db import TRY_AGAIN, UNREACHABLE

Item = TypeVar("Item")
Result = TypeVar("Result")
Group: TypeAlias = "list[tuple[Item, asyncio.Future[Result]]]"

AWAY = (*UNREACHABLE, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError,
        asyncpg.ReadOnlySQLTransactionError)  # fmt: skip
"""The server is away, full, or a standby now: nothing is wrong with the data."""

BAD_DATA = (asyncpg.PostgresError, ValueError)
"""What else a statement that cannot work raises: the server's refusal, or an argument that the driver cannot encode."""

TRIES = 10
"""How often a group that meets another crosswise is run before it fails (for ever with `keep`)."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two tries of a kept group: doubled each time."""


class Groups(Generic[Item, Result]):
    """Runs what is submitted in groups of at most `max_size`, at most `parallel` of them at once, first come first.
    Beside another a group starts only where at least `crowd` items wait: few would be cheaper with those to come.

    `run` gets the items of a group and gives one result for each, in order. With `keep`, it must be harmless to run a
    group twice: whether a statement was committed is not known when the connection breaks.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        max_size: int = 200,
        parallel: int = 1,
        crowd: int = 1,
        keep: bool = False,
    ) -> None:
        self._run = run
        self._max_size = max_size
        self._parallel = parallel
        self._crowd = crowd
        self._keep = keep
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: dict[asyncio.Task[None], Group[Item, Result]] = {}
        self._scheduled = False

    def __len__(self) -> int:
        """How many items wait for their group to start."""
        return len(self._waiting)

    def submit(self, item: Item) -> "asyncio.Future[Result]":
        """Puts the item into the next group; the future ends with its result, or with the error that is its own."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if not self._scheduled and self._may_start():
            self._scheduled = True
            loop.call_soon(self._start)
        return future

    async def drain(self) -> None:
        """Returns when all that was submitted has ended."""
        while self._waiting or self._running:
            self._start()
            await asyncio.wait(self._running)

    async def close(self, seconds: float) -> int:
        """Drains for at most `seconds`, then gives up: how many items were left without an end."""
        try:
            await asyncio.wait_for(self.drain(), seconds)
            return 0
        except TimeoutError:
            unfinished = [future for _, future in self._waiting]
            unfinished += [future for group in self._running.values() for _, future in group if not future.done()]
            self._waiting.clear()
            for task in self._running:
                task.cancel()
            for future in unfinished:
                future.cancel()
            return len(unfinished)

    def _may_start(self) -> bool:
        return not self._running or (len(self._running) < self._parallel and len(self._waiting) >= self._crowd)

    def _start(self) -> None:
        self._scheduled = False
        while self._waiting and self._may_start():
            group = [self._waiting.popleft() for _ in range(min(self._max_size, len(self._waiting)))]
            task = asyncio.get_running_loop().create_task(self._flush(group))
            self._running[task] = group
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Starts the next group, and leaves no future open whatever this one died of."""
        group = self._running.pop(task, ())
        error = None if task.cancelled() else task.exception()
        for _, future in group:
            if future.done():
                continue
            if error is None:
                future.cancel()
            else:
                future.set_exception(error)
        self._start()

    async def _flush(self, group: "Group[Item, Result]") -> None:
        try:
            results = await self._try([item for item, _ in group])
        except BAD_DATA as error:
            if len(group) == 1 or _away(error) or isinstance(error, TRY_AGAIN):
                raise
            for item, future in group:
                await self._alone(item, future)
            return
        if len(results) != len(group):
            raise ValueError(f"{len(results)} results for {len(group)} items")
        # The next group is on its way to the database before the answers to this one are written.
        task = asyncio.current_task()
        assert task is not None
        self._running.pop(task, None)
        self._start()
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _alone(self, item: Item, future: "asyncio.Future[Result]") -> None:
        try:
            (result,) = await self._try([item])
        except (*BAD_DATA, *AWAY) as error:
            if not future.done():
                future.set_exception(error)
            return
        if not future.done():
            future.set_result(result)

    async def _try(self, items: Sequence[Item]) -> Sequence[Result]:
        """Runs the items until they are done, or the error is theirs to keep."""
        tries, pause = 0, FIRST_PAUSE
        while True:
            tries += 1
            try:
                return await self._run(items)
            except TRY_AGAIN:
                if tries >= TRIES and not self._keep:
                    raise
            except AWAY as error:
                if not self._keep or not _away(error):
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)


def _away(error: BaseException) -> bool:
    # The driver's word for an argument that it cannot encode is an InterfaceError, and a ValueError as well.
    return isinstance(error, AWAY) and not isinstance(error, ValueError)

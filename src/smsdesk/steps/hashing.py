"""Passwords compared and hashed beside the event loop: each takes 64 MB and 0.1 s, so two at a time in a process."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from smsdesk.domain.sign_in import LONGEST, SHORTEST
from smsdesk.errors import Problem
from smsdesk.setup.passwords import hash_password, matches

T = TypeVar("T")

AT_ONCE = 2
MOST_WAITING = 64
"""Comparisons that wait: who comes after them is told to come again, and does not wait for seconds."""

_waiting = threading.BoundedSemaphore(MOST_WAITING)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")


@cache
def _nobodys() -> str:
    return hash_password("nobody has this password", bytes)


async def is_password(hashed: str | None, typed: str) -> bool:
    """Whether this is the password. Takes as long where there is none to compare with. Raises Problem `overloaded`."""
    return await _beside(partial(_compare, hashed, typed)) and hashed is not None


async def hash_of(password: str, email: str, chance: Callable[[int], bytes]) -> str:
    """The hash of a new password of the person of this address. Raises Problem `password_unfit` or `overloaded`."""
    if not SHORTEST <= len(password) <= LONGEST or password.lower() == email.lower():
        raise Problem("password_unfit")
    return await _beside(partial(hash_password, password, chance))


def _compare(hashed: str | None, typed: str) -> bool:
    return matches(hashed or _nobodys(), typed[: LONGEST + 1])


async def _beside(work: Callable[[], T]) -> T:
    if not _waiting.acquire(blocking=False):
        raise Problem("overloaded")
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads(), work)
    finally:
        _waiting.release()

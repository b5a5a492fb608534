"""Signing in: how long it holds, how often one may try, and codes that change every half minute."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from smsdesk.domain.tenant import TenantSettings
from smsdesk.errors import Problem

Method = Literal["password", "oidc"]

LASTS = timedelta(hours=12)
"""How long a session is good after its last use: a shift."""
STEP_LASTS = timedelta(minutes=10)
"""How long the second half of a sign-in is waited for."""
LINK_LASTS = timedelta(hours=24)
"""How long a link for a new password is good."""
KNOWN_FOR = timedelta(days=180)
"""How long a browser is known after the last sign-in with it."""
WINDOW = timedelta(minutes=15)
"""Failures that lie longer back, or behind the end of the last wait, count no more."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
SHORTEST, LONGEST = 8, 1000
"""Characters of a password (NIST SP 800-63B, section 5.1.1.1)."""
CODES = 10
"""Recovery codes of a person."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where somebody tries from: the address of his machine, what his browser says of itself, and the secret by which
    it is known from an earlier sign-in."""

    address: str = ""
    browser: str = ""
    known: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something whose failures are counted, by the hash of what it is: a typed address may be a password by mistake."""

    tried: str
    most: int
    """Failures within WINDOW before it has to wait."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How often something has failed since when, and until when it is not tried."""

    tried: str
    failures: int
    since: datetime
    blocked_until: datetime | None = None


class TooManyTries(Problem):
    """Somebody has guessed too often and has to wait."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("too_many_tries")
        self.seconds = max(1, round(wait.total_seconds()))


def limit(most: int, *what: object) -> Limit:
    """The limit of these things together."""
    return Limit(sha256("\0".join(map(str, what)).encode("utf-8", "surrogatepass")).hexdigest(), most)


def limits_of_password(email: str, caller: Caller, known_sha256: bytes | None) -> list[Limit]:
    """What a try with a password counts on. A browser that this person has signed in with before counts for itself
    alone: what others try elsewhere does not lock him out (OWASP, "device cookies")."""
    if known_sha256 is not None:
        return [limit(10, "browser", known_sha256.hex())]
    email, address = email.lower(), network(caller.address)
    return [limit(5, "pair", address, email), limit(20, "email", email), limit(50, "address", address)]


def limit_of_codes(agent_id: int) -> Limit:
    """What a try with a second factor counts on: who comes to it has the password already."""
    return limit(5, "code", agent_id)


def limit_of_own_password(agent_id: int) -> Limit:
    """What a try with the password counts on of somebody who is signed in."""
    return limit(10, "own", agent_id)


def network(address: str) -> str:
    """What counts as one address: of IPv6 the /64, for every machine has all of one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def one_more(row: Failures, most: int, now: datetime) -> Failures:
    """The row after a try that is counted as a failure until it is known to be none. The waits grow twofold."""
    if now - max(row.since, row.blocked_until or row.since) > WINDOW:
        row = Failures(row.tried, 0, now)
    failures = row.failures + 1
    if failures < most:
        return replace(row, failures=failures)
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures - most, 10))
    return replace(row, failures=failures, blocked_until=now + wait)


def good_until(created_at: datetime, settings: TenantSettings, now: datetime) -> datetime:
    """Until when a session is good that is used now: LASTS, and never longer than the tenant allows in all."""
    return min(now + LASTS, created_at + timedelta(hours=settings.session_hours))


def used_step(code: str, now: datetime, after: int, code_at: Callable[[int], str]) -> int | None:
    """The step of time, of 30 seconds, whose code this is: the present one or a neighbour (RFC 6238, section 5.2),
    behind the last one that was used; None where it is no such code."""
    present = int(now.timestamp()) // 30
    steps: Sequence[int] = (present, present - 1, present + 1)
    typed = code.strip().replace(" ", "")
    return next((step for step in steps if step > after and code_at(step) == typed), None)


def code_of_recovery(typed: str) -> str:
    """A recovery code as it is hashed, however it was typed."""
    return typed.upper().replace("-", "").replace(" ", "").strip()

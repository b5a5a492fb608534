"""Second factors: six digits of an app (RFC 6238), or a recovery code, each good once."""

from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace

import pyotp

from smsdesk.domain.sign_in import CODES, code_of_recovery, used_step
from smsdesk.domain.token import digest
from smsdesk.steps.work import Work
from smsdesk.store.profiles import Factor, lock_factor, replace_codes, save_factor, use_code


async def use_factor(work: Work, agent_id: int, typed: str) -> str | None:
    """What was shown, `code` or `recovery code`, used up by this; None where it was neither."""
    factor = await lock_factor(work.conn, work.tenant_id, agent_id)
    if factor.secret is None or factor.confirmed_at is None:
        return None
    if await use_digits(work, agent_id, factor, typed):
        return "code"
    hashed = digest(code_of_recovery(typed))
    used = await use_code(work.conn, work.tenant_id, agent_id, hashed, work.now)
    return "recovery code" if used else None


async def use_digits(work: Work, agent_id: int, factor: Factor, typed: str) -> bool:
    """Whether these are the digits of this moment; they are used up by this. The factor's row is locked."""
    if factor.secret is None:
        return False
    step = used_step(typed, work.now, factor.step, pyotp.TOTP(factor.secret).generate_otp)
    if step is None:
        return False
    await save_factor(work.conn, work.tenant_id, agent_id, replace(factor, step=step))
    return True


async def new_codes(work: Work, agent_id: int, chance: Callable[[int], bytes]) -> list[str]:
    """Recovery codes in the place of those that there were, shown this once: 80 bits of chance each."""
    codes = [b32encode(chance(10)).decode() for _ in range(CODES)]
    await replace_codes(work.conn, work.tenant_id, agent_id, [digest(code) for code in codes])
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]

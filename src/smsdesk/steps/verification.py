"""Whether the consumer has the phone in his hand: a code is sent, and comes back."""

import hmac
from typing import Literal

from smsdesk.domain.verification import MOST_TRIES, digest, find_codes
from smsdesk.steps.say import note
from smsdesk.steps.work import Work
from smsdesk.store import verifications
from smsdesk.store.chat_rows import ChatRow


async def read_code(work: Work, chat: ChatRow, body: str) -> Literal["verified", "wrong"] | None:
    """What the text is about the code that was sent in this chat: the right one verifies the consumer. A wrong one
    counts, and after MOST_TRIES none is right. None where it is not about a code."""
    codes = find_codes(body)
    sent = await verifications.find_verification(work.conn, work.tenant_id, chat.chat_id) if codes else None
    if sent is None or sent.verified_at or sent.expires_at <= work.now or sent.tries >= MOST_TRIES:
        return None
    if any(hmac.compare_digest(digest(work.tenant_id, chat.chat_id, code), sent.code_sha256) for code in codes[:1]):
        await verifications.set_verified(work.conn, work.tenant_id, chat.chat_id, work.now)
        await note(work, chat.chat_id, "The consumer sent the code back: verified.")
        return "verified"
    await verifications.count_try(work.conn, work.tenant_id, chat.chat_id)
    left = MOST_TRIES - sent.tries - 1
    await note(work, chat.chat_id, f"The consumer sent a wrong code: {left} more tries.")
    return "wrong"

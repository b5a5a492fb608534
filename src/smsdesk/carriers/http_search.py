"""What a vendor's list of messages between two numbers says about an attempt that it never answered for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smsdesk.carriers.contract import Absent, Doubt, Found, LookUp, Receipt, Unknown

SKEW = timedelta(minutes=5)
"""How far the vendor's clock and ours may be apart."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One message from our number to the phone, as the vendor lists it."""

    message_id: str
    body: str
    created_at: datetime
    receipts: tuple[Receipt, ...] = ()


def settle_by_list(doubt: Doubt, listed: Iterable[Listed], *, complete: bool) -> LookUp:
    """Found where one message alone can be the attempt; Absent where none can; Unknown in between.

    `complete` says that the list reaches back to `Doubt.sent_at` less SKEW. A message is a candidate from then on,
    since clocks differ; but one from before the attempt may be an earlier text of the same words, and one whose words
    the vendor has wiped may be any text: they settle nothing.
    """
    body = "".join(doubt.text.segments.parts).strip()
    # Vendors give whole seconds.
    since = doubt.sent_at.replace(microsecond=0)
    near = [one for one in listed if one.created_at >= since - SKEW and one.body.strip() in (body, "")]
    if not near:
        return Absent("the vendor has no such message") if complete else Unknown("the vendor's list goes on")
    one = near[0]
    if len(near) > 1 or one.created_at < since or not one.body.strip():
        return Unknown(f"messages between these numbers that could be it: {len(near)}")
    return Found((one.message_id,) * len(doubt.text.segments.parts), one.receipts)

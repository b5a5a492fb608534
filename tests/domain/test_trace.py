"""What a person reads of a text: each state and each reason has its words and its remedy."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smsdesk.domain.outcome import REASONS
from smsdesk.domain.text_state import MOVES
from smsdesk.domain.trace import REMEDIES, SILENT, STATES, Trace, TracedPart

AT = datetime(2026, 3, 1, tzinfo=UTC)
TEXT = Trace(
    1, 2, "api", "main", None, "+16285550199", "+14155550100", "hello", "gsm7", 3, AT, "hold", None, None, None,
    "queued", None, None, AT, False, (), (), (), (),
)  # fmt: skip


def part(attempt: int, number: int, state: str) -> TracedPart:
    return TracedPart(attempt, number, "lab", state, None, None, AT, AT)


def test_every_reason_has_a_remedy() -> None:
    assert REMEDIES.keys() == REASONS.keys()


@pytest.mark.parametrize("state", MOVES)
@pytest.mark.parametrize("reason", [None, *REASONS, "a reason of a newer version"])
def test_every_text_has_words(state: str, reason: str | None) -> None:
    text = replace(TEXT, state=state, reason=reason)
    assert text.says
    assert text.remedy


def test_a_failure_is_told_by_its_reason() -> None:
    text = replace(TEXT, state="failed", reason="landline", ended=True)
    assert (text.says, text.remedy) == ("Cannot receive texts", REMEDIES["landline"])


def test_a_text_that_was_refused_for_now_says_why_it_waits() -> None:
    assert replace(TEXT, reason="queue_full").says == "Waits to be sent again: Waiting for a sending slot"


def test_a_text_of_which_nothing_was_heard_is_not_the_same_as_one_that_is_waited_for() -> None:
    text = replace(TEXT, state="sent")
    assert (text.says, text.remedy) == STATES["sent"]
    assert (replace(text, ended=True).says, replace(text, ended=True).remedy) == SILENT


def test_a_text_that_arrived_in_part_says_how_much_of_its_latest_attempt_did() -> None:
    ledger = (part(1, 1, "delivered"), part(2, 1, "delivered"), part(2, 2, "delivered"), part(2, 3, "undelivered"))
    text = replace(TEXT, state="undelivered", reason="unreachable", ledger=ledger)
    assert (text.arrived, text.says) == (2, "Phone off or out of reach; 2 of 3 parts arrived")
    whole = replace(TEXT, state="delivered", ledger=tuple(part(1, n, "delivered") for n in (1, 2, 3)))
    assert (whole.arrived, whole.says) == (3, "Reached the phone")

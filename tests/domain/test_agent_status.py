"""What agents may choose, and what only the system sets."""

import pytest

from smsdesk.domain.agent_status import CHOSEN, SYSTEM, choices, is_online, read_reason, read_status
from smsdesk.errors import Problem

OWN = ("Training", "Team meeting", "available", "Wrap-up")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("available", "available"),
        ("Available", "available"),
        ("Special Task", "special_task"),
        ("special-task", "special_task"),
        ("  BREAK ", "break"),
        ("training", "Training"),
        ("team_meeting", "Team meeting"),
        ("Offline", "offline"),
    ],
)
def test_statuses_are_read_however_they_are_written(raw: str, status: str) -> None:
    assert read_status(raw, OWN) == status


@pytest.mark.parametrize("raw", ["missed_chat", "Missed Chat", "unresponsive", "Wrap-up", "wrap up"])
def test_what_the_system_sets_is_not_chosen(raw: str) -> None:
    with pytest.raises(Problem) as caught:
        read_status(raw, OWN)
    assert caught.value.reason == "status_not_chosen"


@pytest.mark.parametrize("raw", ["", "asleep", "training ground", "available\x00"])
def test_an_unknown_status_is_told_what_there_is(raw: str) -> None:
    with pytest.raises(Problem) as caught:
        read_status(raw, OWN)
    assert caught.value.reason == "parameter_invalid"
    assert "Team meeting" in caught.value.detail


def test_a_tenants_own_words_take_no_place_of_ours() -> None:
    assert choices(OWN) == (
        "available", "unavailable", "break", "meal", "special_task", "Training", "Team meeting", "offline",
    )  # fmt: skip
    assert choices(()) == CHOSEN
    assert not set(CHOSEN) & set(SYSTEM)


def test_only_offline_is_logged_out() -> None:
    assert [status for status in (*CHOSEN, *SYSTEM) if not is_online(status)] == ["offline"]


def test_a_reason_is_a_short_line_or_none() -> None:
    assert (read_reason(None), read_reason("  "), read_reason(" lunch ")) == (None, None, "lunch")
    for raw in ("x" * 256, "two\nlines", "nul\x00"):
        with pytest.raises(Problem, match="reason"):
            read_reason(raw)

"""The durations of a chat: whatever its life was, they add up to it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smsdesk.domain.chat import Chat, EndUser
from smsdesk.domain.chat_life import ENDED, LIFE, WAITING, WITH_AN_AGENT
from smsdesk.domain.chat_record import ChatRecord, Consumer, Said, Span
from smsdesk.domain.metadata import durations, handled, queued

BEGAN = datetime(2026, 3, 2, 17, 20, 51, 123_000, tzinfo=UTC)
MOMENTS = st.integers(0, 10**7).map(lambda thousandths: timedelta(milliseconds=thousandths))


@st.composite
def lives(draw: st.DrawFn) -> ChatRecord:
    """A chat that went through the table of its life, at any moments."""
    status, at, spans = "selecting", BEGAN, []
    for _ in range(draw(st.integers(0, 8))):
        began, at = at, at + draw(MOMENTS)
        spans.append(_span(draw, status, began, at))
        status = draw(st.sampled_from(sorted(set(LIFE[status].values()))))  # type: ignore[index]
        if status in ENDED:
            break
    ends_at = at if status in ENDED else None
    spans.append(_span(draw, status, at, None))
    chat = Chat(1, spans[-1].status, BEGAN, "+16285550199", EndUser(1), (), ends_at=ends_at)
    said = [
        Said(n, draw(st.sampled_from(["end_user", "agent", "note"])), draw(st.integers(1, 2)), "x", BEGAN + moment)
        for n, moment in enumerate(sorted(draw(st.lists(MOMENTS, max_size=6))))
    ]
    return ChatRecord(chat, "inbound", "Acme", "UTC", Consumer(1, "+14155550111"), spans=tuple(spans), said=tuple(said))


def _span(draw: st.DrawFn, status: str, start: datetime, end: datetime | None) -> Span:
    agent = draw(st.integers(1, 2)) if status in WITH_AN_AGENT else None
    queue = draw(st.integers(1, 2)) if status in (*WAITING, *WITH_AN_AGENT) else None
    return Span(status, agent, queue, start, end)


@given(lives(), MOMENTS)
def test_they_add_up_to_the_life(record: ChatRecord, later: timedelta) -> None:
    now = record.spans[-1].started_at + later
    parts = durations(record, now)
    assert parts.selecting + parts.waiting + parts.handled + parts.dismissed == parts.total
    assert parts.total == int(((record.chat.ends_at or now) - BEGAN).total_seconds())
    assert min(parts.selecting, parts.waiting, parts.handled, parts.dismissed) >= 0
    assert sum(one.duration for one in queued(record, now)) == parts.waiting
    assert sum(one.duration for one in handled(record, now)) == parts.handled


@given(lives(), MOMENTS)
def test_no_answer_took_longer_than_its_agent_had_the_chat(record: ChatRecord, later: timedelta) -> None:
    now = record.spans[-1].started_at + later
    for one in handled(record, now):
        assert all(0 <= wait <= one.duration for wait in one.responses)
        assert one.until_spoken is None or one.until_spoken <= one.duration


def _record(*said: tuple[str, int], agent_from: int = 0) -> ChatRecord:
    """Agent 1 has the chat from then on; who said something at which second."""
    start = BEGAN + timedelta(seconds=agent_from)
    spans = [Span("queued", None, 1, BEGAN, start), Span("ongoing", 1, 1, start, None)]
    chat = Chat(1, "ongoing", BEGAN, "+16285550199", EndUser(1), ())
    words = [
        Said(n, who, 1 if who != "end_user" else None, "x", BEGAN + timedelta(seconds=second))
        for n, (who, second) in enumerate(said)
    ]
    return ChatRecord(
        chat, "inbound", "Acme", "UTC", Consumer(1, "+14155550111"), spans=tuple(spans), said=tuple(words)
    )


def test_a_wait_begins_with_the_first_text_that_has_no_answer() -> None:
    record = _record(("end_user", 10), ("end_user", 14), ("agent", 20), ("agent", 25), ("end_user", 30), ("agent", 31))
    (one,) = handled(record, BEGAN + timedelta(seconds=60))
    assert one.responses == (10, 1)


def test_an_agent_is_not_waited_for_before_he_has_the_chat() -> None:
    record = _record(("end_user", 0), ("agent", 50), agent_from=40)
    (one,) = handled(record, BEGAN + timedelta(seconds=60))
    assert (one.responses, one.until_spoken) == ((10,), 10)


def test_notes_answer_nobody() -> None:
    record = _record(("end_user", 10), ("note", 12), ("agent", 20))
    (one,) = handled(record, BEGAN + timedelta(seconds=60))
    assert one.responses == (10,)

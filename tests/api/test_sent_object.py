"""Answers that are filled in are, byte for byte, those that the encoder makes."""

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from smsdesk.actions.send_message import Sent
from smsdesk.api.v1.chat_object import sent_chat_object
from smsdesk.api.v1.sent_object import render_sent
from smsdesk.domain.segments import segment
from smsdesk.domain.send import Send
from smsdesk.domain.tenant import Agent
from smsdesk.store.sends import Decision, WantedSend

ids = st.integers(1, 2**53)
words = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
agents = st.none() | st.builds(Agent, ids, st.none(), st.just("john.doe@foo.com"), st.just("John"), st.just("Doe"))
sends = st.builds(
    lambda body, number, agent: Send("+14155550100", number, body, segment(body), agent, None),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=700),
    st.from_regex(r"\+?[0-9A-Za-z ]{2,16}", fullmatch=True),
    agents,
)
sents = st.builds(
    lambda send, decision, at: Sent(WantedSend(send, 1), decision, at),
    sends,
    st.builds(Decision, st.just("accepted"), ids, ids, ids, words, words, st.none()),
    st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)


@given(sents)
def test_a_filled_answer_is_the_encoders(sent: Sent) -> None:
    assert render_sent(sent) == msgspec.json.encode(sent_chat_object(sent))

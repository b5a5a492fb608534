"""The metadata of a chat: the keys of the imitated product's metadata files, as far as we have what they tell."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from smsdesk.api.v1.chat_object import CHAT_TYPE, ChatObject, ParticipantObject, chat_object
from smsdesk.domain.chat import Participant
from smsdesk.domain.chat_record import ChatRecord
from smsdesk.domain.metadata import Durations, Handled, Queued, durations, handled, queued

BY_API, DIRECT_BY_API = "Messaging Outbound (SMS via API)", "Messaging Outbound (SMS Direct via API)"
"""What reports call a session that a send of the API began (page Standard_Reports)."""
AFTER_HOURS = "after_hours"


class DurationsObject(msgspec.Struct):
    """Where its seconds went. The first four add up to `total`."""

    selecting: int
    queue: int
    handle: int
    dismissed: int
    total: int


class HandleObject(msgspec.Struct):
    """A time in which one agent had the chat."""

    agent_id: int
    acw_duration: int
    chat_duration: int
    menu_path_id: int | None
    menu_path: str | None
    lang: str
    transfer: bool
    transfer_id: int | None
    started_at: str
    ended_at: str | None
    response_count: int
    response_time_total: int
    response_time_max: int | None
    response_time_avg: int | None
    assigned_connection_duration: int | None


class QueueObject(msgspec.Struct):
    """A time in which it waited in one queue. `service_level_event` is `in_sla` or `not_in_sla`, by the queue's
    `target_seconds`; null without a target."""

    agent_id: int | None
    menu_path_id: int | None
    menu_path: str | None
    queue_duration: int
    started_at: str
    ended_at: str | None
    transfer_cold: bool
    service_level_event: str | None
    service_level_target_time: int | None


class MetadataParticipant(ParticipantObject, kw_only=True):
    """A side of the chat. Of an agent: who he is and the queues that he works in; of the consumer: his number."""

    email: str | None
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    teams: list[str]


class DispositionObject(msgspec.Struct):
    """What an agent noted after the chat."""

    agent_id: int
    disposition: str | None
    notes: str


class MetadataObject(ChatObject, kw_only=True):
    """The chat object, and what was worked out from the chat's life. Times are the desk's, with their offset."""

    session_type: str
    session_type_v2: str
    direction: str
    provider_type: str | None
    provider_channel_id: str | None
    after_hours: bool
    deflection: str | None
    feedback: str | None
    email: str | None
    phone_number: str
    message_count: int
    first_msg_sent_at: str | None
    last_msg_sent_at: str | None
    average_response_time: int | None
    longest_response_time: int | None
    durations: DurationsObject
    handle_durations: list[HandleObject]
    queue_durations: list[QueueObject]
    participants: list[MetadataParticipant]  # type: ignore[assignment]  # the same, with more keys
    dispositions: list[DispositionObject]


def metadata_object(record: ChatRecord, now: datetime) -> MetadataObject:
    """The metadata of a chat as it is now; final once the chat has ended and its agent is done with it."""
    zone = ZoneInfo(record.time_zone)

    def local(moment: datetime) -> str:
        return moment.astimezone(zone).isoformat(timespec="milliseconds")

    shown = chat_object(record.chat)
    known = _in_zone(msgspec.to_builtins(shown), zone)
    runs = handled(record, now)
    waits = [seconds for run in runs for seconds in run.responses]
    more = {
        "session_type": CHAT_TYPE,
        "session_type_v2": record.chat.chat_type or (DIRECT_BY_API if record.is_direct else BY_API),
        "direction": record.direction,
        "provider_type": record.carrier_type,
        "provider_channel_id": record.carrier,
        "after_hours": record.chat.fail_reason == AFTER_HOURS,
        "deflection": AFTER_HOURS if record.chat.fail_reason == AFTER_HOURS else None,
        "feedback": record.feedback,
        "email": record.consumer.email,
        "phone_number": record.consumer.number,
        **_messages(record, local),
        "average_response_time": sum(waits) // len(waits) if waits else None,
        "longest_response_time": max(waits, default=None),
        "durations": _durations(durations(record, now)),
        "handle_durations": [_handle(record, one, local) for one in runs],
        "queue_durations": [_queue(record, one, local) for one in queued(record, now)],
        "participants": [
            _participant(record, one, shown_as)
            for one, shown_as in zip(record.chat.participants, known["participants"], strict=True)
        ],
        "dispositions": [DispositionObject(one.agent_id, one.disposition, one.notes) for one in record.wrap_ups],
    }
    return msgspec.convert({**known, **msgspec.to_builtins(more)}, MetadataObject)


def _messages(record: ChatRecord, local: Callable[[datetime], str]) -> dict[str, Any]:
    """What the two sides said; the desk's notes are not counted."""
    times = [one.at for one in record.said if one.sender != "note"]
    return {
        "message_count": len(times),
        "first_msg_sent_at": local(times[0]) if times else None,
        "last_msg_sent_at": local(times[-1]) if times else None,
    }


def _durations(of: Durations) -> DurationsObject:
    return DurationsObject(of.selecting, of.waiting, of.handled, of.dismissed, of.total)


def _handle(record: ChatRecord, one: Handled, local: Callable[[datetime], str]) -> HandleObject:
    waits = one.responses
    return HandleObject(
        one.agent_id, one.after_call_work, one.duration, one.queue_id, record.queue_name(one.queue_id),
        record.chat.lang, one.transfer_id is not None, one.transfer_id, local(one.started_at),
        local(one.ended_at) if one.ended_at else None, len(waits), sum(waits), max(waits, default=None),
        sum(waits) // len(waits) if waits else None, one.until_spoken,
    )  # fmt: skip


def _queue(record: ChatRecord, one: Queued, local: Callable[[datetime], str]) -> QueueObject:
    return QueueObject(
        one.agent_id, one.queue_id, record.queue_name(one.queue_id), one.duration, local(one.started_at),
        local(one.ended_at) if one.ended_at else None, one.transferred_cold,
        None if one.in_time is None else "in_sla" if one.in_time else "not_in_sla", one.target,
    )  # fmt: skip


def _participant(record: ChatRecord, one: Participant, shown: dict[str, Any]) -> dict[str, Any]:
    agent = record.agents.get(one.user_id) if one.user_id is not None else None
    is_agent = one.type == "agent"
    consumer = record.consumer
    return {
        **shown,
        "email": agent.email if agent else None if is_agent else consumer.email,
        "first_name": agent.first_name if agent else None if is_agent else consumer.first_name,
        "last_name": agent.last_name if agent else None if is_agent else consumer.last_name,
        "phone_number": None if is_agent else consumer.number,
        "teams": list(record.teams.get(one.user_id, ())) if one.user_id is not None else [],
    }


def _in_zone(value: Any, zone: ZoneInfo) -> Any:
    """The same with its times as the clock shows them there: they are known by their keys."""
    if isinstance(value, dict):
        return {
            key: datetime.fromisoformat(inner).astimezone(zone).isoformat(timespec="milliseconds")
            if isinstance(inner, str) and (key.endswith("_at") or key == "casting_time")
            else _in_zone(inner, zone)
            for key, inner in value.items()
        }
    return [_in_zone(inner, zone) for inner in value] if isinstance(value, list) else value

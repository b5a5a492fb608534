"""The chat object: the keys of the seed, in the seed's order, with the seed's formats and nulls."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from smsdesk.actions.send_message import Sent
from smsdesk.domain.chat import Chat, Participant, Queue
from smsdesk.domain.media import shown
from smsdesk.domain.tenant import Agent
from smsdesk.domain.transfer import Transfer

CHAT_TYPE = "Messaging (SMS)"


class ParticipantObject(msgspec.Struct):
    id: int
    type: str
    status: str
    chat_id: int
    user_id: int | None
    end_user_id: int | None
    chat_duration: int | None
    connected_at: str
    ended_at: str | None
    fail_reason: str
    role: str | msgspec.UnsetType = msgspec.UNSET
    """Only of a supervisor who joined: `supervisor`."""


class AgentInfo(msgspec.Struct):
    id: int
    agent_number: int | None
    email: str
    name: str
    first_name: str
    last_name: str
    avatar_url: str | None


class EndUserObject(msgspec.Struct):
    id: int
    identifier: str | None
    out_contact_id: str | None


class MenuObject(msgspec.Struct):
    id: int
    name: str
    parent_id: int | None
    position: int
    deleted: bool
    hidden: bool
    menu_type: str
    """`sms`; `supervisors` for the queue that no menu leads to."""
    output_msg: str | None


class MenuPath(msgspec.Struct):
    items_count: int
    name: str
    materialized_path: str


class PhotoObject(msgspec.Struct):
    id: int
    photo_type: str
    url: str


class VideoObject(msgspec.Struct):
    id: int
    url: str


class TransferObject(msgspec.Struct):
    """The keys that the imitated product's pages show on calls, with those of its reports."""

    id: int
    status: str
    fail_reason: str
    kind: str
    created_at: str
    assigned_at: str | None
    connected_at: str | None
    wait_duration: int
    call_duration: int
    from_menu: MenuObject | None
    to_menu: MenuObject | None
    from_menu_path: MenuPath | None
    to_menu_path: MenuPath | None
    from_agent: AgentInfo | None
    to_agent: AgentInfo | None
    answer_type: str | None
    note: str


class OfferEventObject(msgspec.Struct):
    casting_time: str
    group: str | None


class ChatObject(msgspec.Struct, kw_only=True):
    """A chat as the page `apps-api-sms` shows it."""

    id: int
    lang: str
    chat_type: str = CHAT_TYPE
    status: str
    created_at: str
    queued_at: str | None
    assigned_at: str | None
    ends_at: str | None
    wait_duration: int
    chat_duration: int
    rating: int | None = None
    has_feedback: bool = False
    out_ticket_id: str | None
    out_ticket_url: str | None
    verified: bool = False
    disconnected_by: str
    fail_reason: str | None
    selected_menu: MenuObject | None
    menu_path: MenuPath | None
    agent_info: AgentInfo | None
    end_user: EndUserObject
    photos: list[PhotoObject] = []
    videos: list[VideoObject] = []
    transfers: list[TransferObject] = []
    participants: list[ParticipantObject]
    offer_type: str | None = None
    offer_events: list[OfferEventObject] = []
    answer_type: str = "manual"
    outbound_number: str


class SentChatObject(ChatObject, kw_only=True):
    """The chat in answer to a send, and two keys of our own: the text that was accepted, and its parts."""

    message_id: int
    segments: int


def sent_chat_object(sent: Sent) -> SentChatObject:
    """The answer to a send."""
    return SentChatObject(**_keys(sent.chat), message_id=sent.decision.message_id, segments=sent.segments)


def chat_object(chat: Chat) -> ChatObject:
    """The chat in the imitated API's words."""
    return ChatObject(**_keys(chat))


def time(moment: datetime) -> str:
    """The seed's form of a time: UTC with milliseconds, such as `2021-10-04T17:20:51.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time(moment)


def _keys(chat: Chat) -> dict[str, Any]:
    return {
        "id": chat.chat_id,
        "lang": chat.lang,
        "chat_type": chat.chat_type or CHAT_TYPE,
        "status": chat.status,
        "created_at": time(chat.created_at),
        "queued_at": _time(chat.queued_at),
        "assigned_at": _time(chat.assigned_at),
        "ends_at": _time(chat.ends_at),
        "wait_duration": chat.wait_duration,
        "chat_duration": chat.chat_duration,
        "rating": chat.rating,
        "has_feedback": chat.has_feedback,
        "verified": chat.verified,
        "out_ticket_id": chat.out_ticket_id,
        "out_ticket_url": chat.out_ticket_url,
        "disconnected_by": chat.disconnected_by,
        "fail_reason": chat.fail_reason,
        "selected_menu": _menu(chat.queue),
        "menu_path": _menu_path(chat.queue),
        "agent_info": _agent(chat.agent),
        "end_user": EndUserObject(chat.end_user.end_user_id, chat.end_user.identifier, chat.end_user.out_contact_id),
        "participants": [_participant(chat, one) for one in chat.participants],
        "photos": [
            PhotoObject(one.media_id, _PHOTO_TYPES[one.direction], one.url or "") for one in shown(chat.media, "photo")
        ],
        "videos": [VideoObject(one.media_id, one.url or "") for one in shown(chat.media, "video")],
        "transfers": [_transfer(chat, one) for one in chat.transfers],
        "offer_type": chat.offer_type,
        "offer_events": [OfferEventObject(time(one.at), one.group) for one in chat.offer_events],
        "answer_type": chat.answer_type,
        "outbound_number": chat.outbound_number,
    }


_PHOTO_TYPES = {"in": "end_user", "out": "agent"}
"""Whose picture it is; the imitated product's own words for it are not public."""


def _participant(chat: Chat, one: Participant) -> ParticipantObject:
    duration = int((one.ended_at - one.connected_at).total_seconds()) if one.ended_at else None
    return ParticipantObject(
        one.participant_id, one.type, one.status, chat.chat_id, one.user_id, one.end_user_id, duration,
        time(one.connected_at), _time(one.ended_at), one.fail_reason,
        one.role if one.role != "agent" else msgspec.UNSET,
    )  # fmt: skip


def _transfer(chat: Chat, one: Transfer) -> TransferObject:
    menus = [chat.queues.get(queue_id) if queue_id else None for queue_id in (one.from_queue_id, one.to_queue_id)]
    return TransferObject(
        one.transfer_id, one.status, one.fail_reason, one.kind, time(one.created_at), _time(one.assigned_at),
        _time(one.connected_at), one.wait_duration, one.call_duration, _menu(menus[0]), _menu(menus[1]),
        _menu_path(menus[0]), _menu_path(menus[1]), _agent(one.from_agent), _agent(one.to_agent), one.answer_type,
        one.note,
    )  # fmt: skip


def _agent(agent: Agent | None) -> AgentInfo | None:
    if agent is None:
        return None
    return AgentInfo(
        agent.agent_id, agent.agent_number, agent.email, agent.name, agent.first_name, agent.last_name, agent.avatar_url
    )


def _menu(queue: Queue | None) -> MenuObject | None:
    if queue is None:
        return None
    return MenuObject(
        queue.queue_id, queue.name, queue.parent_id, queue.position, queue.deleted, queue.hidden, queue.menu_type,
        queue.prompt,
    )  # fmt: skip


def _menu_path(queue: Queue | None) -> MenuPath | None:
    if queue is None:
        return None
    return MenuPath(len(queue.path_ids), "/".join(queue.path_names), "/".join(map(str, queue.path_ids)))

"""/apps/api/v1/chats/{chat_id}/transcript and /metadata: a chat to keep elsewhere.

The imitated product posts both as files to a CRM or a bucket; to read them by the API is an addition of ours.
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter

from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import time
from smsdesk.api.v1.chats import REFUSALS, ChatId
from smsdesk.api.v1.metadata_object import MetadataObject, metadata_object
from smsdesk.domain.chat_record import ChatRecord
from smsdesk.domain.transcript import Segment, render, segments
from smsdesk.errors import Problem
from smsdesk.store.transcripts import find_record

TEXT = "text/plain"
WithNotes = Annotated[bool, QueryParameter(description="Also what the desk wrote for itself.")]


class SegmentMedia(msgspec.Struct):
    """A file that came with a turn or went with it. `url` is null for one that is not here; `reason` says why."""

    id: int
    kind: str | None
    url: str | None
    reason: str | None


class SegmentObject(msgspec.Struct):
    """One side's turn, or (`activity`) something that happened."""

    at: str
    type: Literal["message", "note", "activity"]
    sender: str
    agent_id: int | None
    name: str
    texts: list[str]
    media: list[SegmentMedia]


class TranscriptObject(msgspec.Struct):
    """A chat as it reads."""

    chat_id: int
    created_at: str
    time_zone: str
    segments: list[SegmentObject]


_AS_TEXT = ResponseSpec(str, description="The transcript as plain text.", media_type=MediaType.TEXT)


@get(
    "/{chat_id:int}/transcript",
    summary="Read a chat's transcript",
    responses={**REFUSALS, 200: ResponseSpec(TranscriptObject, description="The transcript.")},
)
async def transcript(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    chat_id: ChatId,
    notes: WithNotes = False,
) -> Response[Any]:
    """Who said what and what happened, as JSON; as text where `Accept` asks for `text/plain` first."""
    if _wants_text(request.headers.get("accept", "")):
        return await _as_text(services, caller, chat_id, notes=notes)
    record = await _record(services, caller, chat_id)
    found = TranscriptObject(
        record.chat.chat_id, time(record.chat.created_at), record.time_zone,
        [_segment(one) for one in segments(record, notes=notes)],
    )  # fmt: skip
    return Response(found)


@get("/{chat_id:int}/transcript.txt", summary="Read a chat's transcript as text", responses={**REFUSALS, 200: _AS_TEXT})
async def transcript_file(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, notes: WithNotes = False
) -> Response[Any]:
    """The transcript as it is posted to a CRM: times by the tenant's `time_zone`, last names as initials."""
    return await _as_text(services, caller, chat_id, notes=notes)


@get("/{chat_id:int}/metadata", summary="Read a chat's metadata", responses=REFUSALS)
async def metadata(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> MetadataObject:
    """The chat object, with how long the chat was where, who had it, and how soon it was answered."""
    return metadata_object(await _record(services, caller, chat_id), services.clock())


async def _record(services: Services, caller: Caller, chat_id: int) -> ChatRecord:
    async with services.db.connection() as conn:
        record = await find_record(conn, caller.tenant.tenant_id, chat_id)
    if record is None:
        raise Problem("not_found")
    return record


async def _as_text(services: Services, caller: Caller, chat_id: int, *, notes: bool) -> Response[Any]:
    text = render(await _record(services, caller, chat_id), notes=notes)
    return Response(text, media_type=TEXT)


def _wants_text(accept: str) -> bool:
    """Which of the two kinds stands first; JSON where neither does."""
    kinds = [one.partition(";")[0].strip().lower() for one in accept.split(",")]
    known = [kind for kind in kinds if kind in ("text/plain", "application/json", "*/*")]
    return bool(known) and known[0] == "text/plain"


def _segment(one: Segment) -> SegmentObject:
    media = [SegmentMedia(each.media_id, each.kind, each.url, each.reason) for each in one.media]
    return SegmentObject(time(one.at), one.kind, one.sender, one.agent_id, one.name, list(one.texts), media)


router = Router("/chats", route_handlers=[transcript, transcript_file, metadata], tags=["Chats"])

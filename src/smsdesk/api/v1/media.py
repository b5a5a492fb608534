"""/apps/api/v1/chats/{id}/photos, /videos and /media: files of a chat, and uploads that may go with an answer."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import PathParameter

from smsdesk.actions.add_media import Upload, Uploads
from smsdesk.api.media_links import file_response, read_file
from smsdesk.api.services import Caller, Services
from smsdesk.api.v1.chat_object import ChatObject, PhotoObject, VideoObject, chat_object, time
from smsdesk.api.v1.chats import MOST_ID, REFUSALS, ChatId
from smsdesk.domain.media import HARD_LIMIT_MB, MB, MOST_ATTACHMENTS, Kind, Media
from smsdesk.errors import Problem
from smsdesk.media.contract import StoreAway
from smsdesk.store.chats import find_chat, has_chat
from smsdesk.store.media import find_kept, find_media

MediaId = Annotated[int, PathParameter(ge=1, le=MOST_ID, description="The `media_id` of the file.")]
LARGEST_BODY = HARD_LIMIT_MB * MB * 4 // 3 + MB
"""Octets of a request: base64 makes four of three."""


class MediaObject(msgspec.Struct):
    """A file of a chat, whatever became of it. `wanted` is still being fetched from the carrier; `refused` is not kept,
    and `reason` says why."""

    id: int
    message_id: int | None
    direction: Literal["in", "out"]
    status: Literal["wanted", "kept", "refused"]
    kind: str | None
    content_type: str | None
    size: int | None
    name: str
    reason: str | None
    created_at: str
    url: str | None


class UploadedFile(msgspec.Struct):
    """A file as JSON carries it."""

    content: bytes
    """In base64."""
    name: str = ""


class UploadedFiles(msgspec.Struct):
    """Files to be uploaded, as JSON."""

    files: list[UploadedFile]


class UploadedObject(msgspec.Struct):
    """An upload: `media_id` is what an answer names it by."""

    media_id: int
    url: str


@get("/photos", summary="List the photos of a chat", responses=REFUSALS)
async def list_photos(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> list[PhotoObject]:
    """Pictures that either side sent, in their order."""
    return (await _chat(services, caller, chat_id)).photos


@get("/videos", summary="List the videos of a chat", responses=REFUSALS)
async def list_videos(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> list[VideoObject]:
    """Films that either side sent, in their order."""
    return (await _chat(services, caller, chat_id)).videos


@get("/media", summary="List all files of a chat", responses=REFUSALS)
async def list_media(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId
) -> list[MediaObject]:
    """Files of every kind, also those that are still to be fetched, that were refused, or that were not sent yet."""
    return [_object(one) for one in await _media_of(services, caller, chat_id)]


@get("/media/{media_id:int}", summary="Read a file", responses=REFUSALS)
async def read_media(
    services: NamedDependency[Services], caller: NamedDependency[Caller], chat_id: ChatId, media_id: MediaId
) -> Response[bytes]:
    """The file itself, however old it is."""
    tenant_id = caller.tenant.tenant_id
    async with services.db.connection() as conn:
        file = await find_kept(conn, tenant_id, chat_id, media_id)
    if file is None:
        raise Problem("not_found")
    return file_response(file.kind, await read_file(services, tenant_id, file), media_id)


@post("/photos", summary="Upload photos", responses=REFUSALS, request_max_body_size=LARGEST_BODY)
async def add_photos(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    chat_id: ChatId,
) -> list[UploadedObject]:
    """Takes pictures that shall go with an answer: as `multipart/form-data`, or as JSON `{"files": [{"content":
    BASE64, "name": ...}]}`. Where one is refused, none is taken."""
    return await _add(services, caller, chat_id, "photo", await _uploads(request))


@post("/videos", summary="Upload a video", responses=REFUSALS, request_max_body_size=LARGEST_BODY)
async def add_videos(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    chat_id: ChatId,
) -> UploadedObject:
    """Takes one film that shall go with an answer, in the same forms."""
    files = await _uploads(request)
    if len(files) != 1:
        raise Problem("parameter_invalid", "one video at a time")
    return (await _add(services, caller, chat_id, "video", files))[0]


@post("/media", summary="Upload files", responses=REFUSALS, request_max_body_size=LARGEST_BODY)
async def add_media(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    request: Request[Any, Any, Any],
    chat_id: ChatId,
) -> list[UploadedObject]:
    """Takes files of any kind that is kept, in the same forms."""
    return await _add(services, caller, chat_id, None, await _uploads(request))


async def _uploads(request: Request[Any, Any, Any]) -> list[UploadedFile]:
    """The files of a request; raises Problem where there are none, or too many."""
    if request.content_type[0] == RequestEncodingType.MULTI_PART:
        form = await request.form()
        given = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
        files = [UploadedFile(await one.read(), one.filename) for one in given]
    else:
        try:
            files = msgspec.json.decode(await request.body(), type=UploadedFiles).files
        except (msgspec.MsgspecError, ValueError):
            raise Problem("parameter_invalid", "the body must be multipart/form-data, or JSON with files") from None
    if not files or len(files) > MOST_ATTACHMENTS:
        raise Problem("parameter_invalid", f"from one to {MOST_ATTACHMENTS} files")
    return files


async def _add(
    services: Services, caller: Caller, chat_id: int, kind: Kind | None, files: list[UploadedFile]
) -> list[UploadedObject]:
    tenant = caller.tenant
    uploads = Uploads(chat_id, [Upload(file.content, file.name) for file in files], kind)
    try:
        ids = await services.add_media(tenant, uploads, services.media_stores.of(tenant.settings.media_store).put)
    except StoreAway as error:
        raise Problem("overloaded") from error
    async with services.db.connection() as conn:
        found = {one.media_id: one for one in (await find_media(conn, tenant.tenant_id, [chat_id]))[chat_id]}
    return [UploadedObject(media_id, found[media_id].url or "") for media_id in ids]


async def _media_of(services: Services, caller: Caller, chat_id: int) -> list[Media]:
    tenant_id = caller.tenant.tenant_id
    async with services.db.connection() as conn:
        if not await has_chat(conn, tenant_id, chat_id):
            raise Problem("not_found")
        return (await find_media(conn, tenant_id, [chat_id]))[chat_id]


async def _chat(services: Services, caller: Caller, chat_id: int) -> ChatObject:
    async with services.db.connection() as conn:
        chat = await find_chat(conn, caller.tenant.tenant_id, chat_id)
    if chat is None:
        raise Problem("not_found")
    return chat_object(chat)


def _object(one: Media) -> MediaObject:
    return MediaObject(
        one.media_id, one.message_id, one.direction, one.state, one.kind, one.content_type, one.size, one.name,
        one.reason, time(one.created_at), one.url,
    )  # fmt: skip


router = Router(
    "/chats/{chat_id:int}",
    route_handlers=[list_photos, list_videos, list_media, read_media, add_photos, add_videos, add_media],
    tags=["Media"],
)

"""Files that may go with an answer: judged by their content, cleaned, kept, and noted in their chat."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from smsdesk.domain.media import MB, Kind, MediaRefused, MediaType, content_key, sniff, too_large
from smsdesk.domain.media_clean import clean
from smsdesk.domain.reply import clean as clean_words
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem
from smsdesk.steps.begin import Begin
from smsdesk.steps.desk_view import require_read
from smsdesk.store import media as rows
from smsdesk.store.chat_rows import require_open
from smsdesk.store.media import NewFile

Keep = Callable[[str, bytes], Awaitable[None]]
"""Keeps octets under a key; when it returns they are safe."""
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody hands in. Its name is for people."""

    content: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Files for one chat."""

    chat_id: int
    files: Sequence[Upload]
    kind: Kind | None = None
    """What each has to be; None for anything that is kept."""
    agent_id: int | None = None
    """Who hands them in at the desk: he has to see the chat. None for programs."""


class AddMedia:
    """Takes files in, all or none."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def __call__(self, tenant: Tenant, uploads: Uploads, keep: Keep) -> list[int]:
        """The ids of the files, once they are on disk. Raises Problem for one that is not kept, and for a chat that is
        not there or has ended; and what `keep` raises."""
        most = tenant.settings.media_most_mb * MB
        judged = [await asyncio.to_thread(_judge, upload, uploads.kind, most) for upload in uploads.files]
        keys = [content_key(tenant.tenant_id, content) for _, content in judged]
        for key, (_, content) in zip(keys, judged, strict=True):
            await keep(key, content)
        async with self._begin(tenant.tenant_id) as work:
            if uploads.agent_id is not None:
                await require_read(work.conn, tenant.tenant_id, uploads.agent_id, uploads.chat_id)
            chat = await require_open(work.conn, tenant.tenant_id, uploads.chat_id)
            first_id = await work.ids.take(work.conn, len(judged))
            for place, (upload, key, (kind, content)) in enumerate(zip(uploads.files, keys, judged, strict=True)):
                name = clean_words(upload.name)[:LONGEST_NAME]
                file = NewFile(chat.chat_id, first_id + place, kind, key, len(content), name)
                await rows.add_upload(work.conn, tenant.tenant_id, file, work.now)
        return [first_id + place for place in range(len(judged))]


def _judge(upload: Upload, wanted: Kind | None, most: int) -> tuple[MediaType, bytes]:
    try:
        if len(upload.content) > most:
            raise too_large(len(upload.content), most)
        kind = sniff(upload.content)
        if wanted is not None and kind.kind != wanted:
            raise MediaRefused(f"{kind.content_type} is no {wanted}")
        return kind, clean(upload.content, kind)
    except MediaRefused as refused:
        name = clean_words(upload.name)[:LONGEST_NAME] or "the file"
        raise Problem("parameter_invalid", f"{name}: {refused}") from None

"""What comes with a reply is noted, and what goes with an answer is taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smsdesk.domain.media import MMS_MOST, MOST_ATTACHMENTS, Media, MediaSource
from smsdesk.domain.reply import clean
from smsdesk.domain.tenant import TenantSettings
from smsdesk.errors import Problem
from smsdesk.steps.work import Work
from smsdesk.store import media as rows
from smsdesk.store.media import WantedMedia


async def add_inbound(work: Work, chat_id: int, message_id: int, carrier_id: int, media: Sequence[MediaSource]) -> None:
    """Notes what a phone sent with a message. It is fetched after the commit; nothing of it is lost without a word."""
    if not media:
        return
    first_id = await work.ids.take(work.conn, len(media))
    too_many = f"more than {MOST_ATTACHMENTS} attachments"
    wanted = [
        WantedMedia(first_id + place, clean(one.url), clean(one.name), None if place < MOST_ATTACHMENTS else too_many)
        for place, one in enumerate(media)
    ]
    await rows.add_wanted(work.conn, work.tenant_id, (chat_id, message_id, carrier_id), wanted, work.now)


async def take_uploads(work: Work, chat_id: int, media_ids: Sequence[int]) -> list[Media]:
    """The uploads that shall go with an answer; locked, so that none goes twice. Raises Problem for one that is not
    there, or has been sent. `attach` sends
    them, once their message is written."""
    if len(media_ids) > MOST_ATTACHMENTS:
        raise Problem("parameter_invalid", f"media_ids: more than {MOST_ATTACHMENTS} attachments")
    found = await rows.lock_uploads(work.conn, work.tenant_id, chat_id, media_ids)
    missing = sorted(set(media_ids) - {one.media_id for one in found})
    if missing or len(found) < len(media_ids):
        wrong = missing[0] if missing else "twice the same"
        raise Problem("parameter_invalid", f"media_ids: {wrong} is no upload of this chat that can still be sent")
    return found


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What an answer says, and what goes with it."""

    body: str
    """The words, with the links behind them where the files go as links."""
    media: tuple[Media, ...] = ()
    sent_as: Literal["mms", "link"] = "link"


async def attach(work: Work, chat_id: int, message_id: int, enclosed: Enclosed) -> None:
    """Sends files with a message of ours that is written."""
    if enclosed.media:
        ids = [one.media_id for one in enclosed.media]
        await rows.attach(work.conn, work.tenant_id, (chat_id, message_id), ids, enclosed.sent_as)


MostMedia = Callable[[str, Mapping[str, Any]], int]
"""How many files a line carries with a text, given its type and its settings."""


async def enclose(
    work: Work, text: tuple[int, str, str], media_ids: Sequence[int], settings: TenantSettings, most_media: MostMedia
) -> Enclosed:
    """Takes uploads for an answer, given as (chat, our number, words). Over a line that carries no files, or not so
    much, each goes as a link behind the words. Raises Problem where the tenant does not want that.

    Decided here and not when the text leaves, so that its segments are counted and priced as they will be.
    """
    chat_id, number, body = text
    media = await take_uploads(work, chat_id, media_ids)
    if not settings.public_url:
        raise Problem("parameter_invalid", "media_ids: set public_url first, so that links to files lead somewhere")
    line = await rows.find_line(work.conn, work.tenant_id, number)
    room = most_media(*line) if line else 0
    if len(media) <= room and sum(one.size or 0 for one in media) <= MMS_MOST:
        return Enclosed(body, tuple(media), "mms")
    if settings.mms_fallback == "refuse":
        raise Problem("parameter_invalid", "media_ids: the line of this number does not carry them (mms_fallback)")
    links = [one.url for one in media if one.url]
    return Enclosed("\n".join(word for word in (body, *links) if word), tuple(media), "link")

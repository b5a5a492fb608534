"""Vonage's Messages API, version 1, for what its SMS API cannot do: files. https://developer.vonage.com/en/api/messages

Its webhooks are JSON with a `channel`, signed like the others by a token.
"""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from smsdesk.carriers.contract import Accepted, OutboundText, Outcome, Receipt, Reply, Unreadable
from smsdesk.carriers.http import HttpAnswer, HttpRequest
from smsdesk.carriers.http_reading import basic, e164, read_json, read_media, read_reply

MOST_MEDIA = 1
"""Files of one message."""
_LONGEST_TTL = 259_200
"""Seconds of `ttl`."""
_TYPES = {
    "jpg": "image", "png": "image", "gif": "image", "webp": "image", "mp4": "video", "3gp": "video", "mov": "video",
    "mp3": "audio", "amr": "audio", "wav": "audio", "m4a": "audio", "vcf": "vcard",
}  # fmt: skip
"""Suffix of a file to `message_type`; others are a `file`."""
_STATES = {"submitted": "sent", "delivered": "delivered", "read": "delivered", "undeliverable": "undelivered",
           "rejected": "failed"}  # fmt: skip


class _Made(Struct):
    message_uuid: str


class _Webhook(Struct, rename={"from_": "from"}):
    channel: str
    message_uuid: str
    to: str = ""
    from_: str = ""
    status: str = ""
    client_ref: str | None = None
    error: dict[str, Any] = {}
    message_type: str = ""
    text: str | None = None
    image: dict[str, Any] | None = None
    video: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    vcard: dict[str, Any] | None = None
    file: dict[str, Any] | None = None


def write(url: str, account: tuple[str, str], text: OutboundText, seconds: int, webhook_url: str) -> HttpRequest:
    """The request that sends a text with its file."""
    kind = _TYPES.get(urlsplit(text.media[0]).path.rpartition(".")[2], "file")
    body = "".join(text.segments.parts)
    said: dict[str, Any] = {
        "channel": "mms",
        "message_type": kind,
        "from": text.source.removeprefix("+"),
        "to": text.destination.removeprefix("+"),
        kind: {"url": text.media[0]} | ({"caption": body} if body else {}),
        "client_ref": f"smsdesk-{text.text_id}-{text.attempt}",
        "ttl": min(max(seconds, 300), _LONGEST_TTL),
    }
    if webhook_url:
        said |= {"webhook_url": webhook_url, "webhook_version": "v1"}
    headers = {"Authorization": basic(*account), "Content-Type": "application/json"}
    return HttpRequest("POST", f"{url.rstrip('/')}/v1/messages", headers, msgspec.json.encode(said))


def outcome(text: OutboundText, answer: HttpAnswer) -> Outcome:
    """Taken with a name; anything else is told by its HTTP status (ValueError)."""
    if answer.status != 202:
        raise ValueError("not taken")
    name = msgspec.json.decode(answer.body, type=_Made).message_uuid
    return Accepted((name,) * len(text.segments.parts))


def is_webhook(body: bytes) -> bool:
    """Whether a body is one of this API's."""
    return body.lstrip().startswith(b"{") and b'"channel"' in body


def read(body: bytes) -> Receipt | Reply:
    """A message status, or a message from a phone; raises Unreadable."""
    said = read_json(body, _Webhook)
    if said.status:
        return _receipt(said)
    if not said.from_ or not said.to:
        raise Unreadable("there is no from or no to in it")
    part = getattr(said, said.message_type, None) if said.message_type in (*_TYPES.values(), "file") else None
    words = said.text or str((part or {}).get("caption") or "")
    reply = read_reply(said.from_, said.to, words, said.message_uuid)
    return replace(reply, media=read_media([str((part or {}).get("url") or "")]))


def _receipt(said: _Webhook) -> Receipt:
    state = _STATES.get(said.status, "sent")
    reason = "unknown_error" if state in ("undelivered", "failed") else None
    ours = re.fullmatch(r"smsdesk-([0-9]{1,19})-[0-9]+", said.client_ref or "")
    code = f"{said.status} {said.error.get('title') or ''}".strip()
    reference = int(ours[1]) & 0xFFFF if ours else None
    return Receipt(said.message_uuid, state, reason, code, e164(said.to) or None, reference, whole=True)

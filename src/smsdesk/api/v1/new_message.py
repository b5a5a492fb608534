"""What an agent's message is made of: words, uploads, or both."""

from typing import Literal

import msgspec

from smsdesk.domain.send import read_body
from smsdesk.errors import Problem


class NewMessage(msgspec.Struct):
    """Of a `text`, `content` is its words. Of a `photo` or a `video`, it is the `media_id` of an upload; where
    `media_ids` name the uploads, it is the words that go with them."""

    content: str | int = ""
    type: Literal["text", "photo", "video"] = "text"
    media_ids: list[int] = []


def read_message(message: NewMessage) -> tuple[str, list[int]]:
    """The words and the uploads of a message; raises Problem where there are neither."""
    if message.media_ids:
        words = str(message.content)
        return read_body(words) if words.strip() else "", message.media_ids
    if message.type == "text":
        return read_body(str(message.content)), []
    if not str(message.content).isdecimal():
        raise Problem("parameter_invalid", f"message.content must be the media_id of a {message.type}")
    return "", [int(message.content)]

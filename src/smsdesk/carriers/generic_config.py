"""What a person says about a gateway with a plain HTTP interface: what to ask, how to read what it says."""

import re
from typing import Any, Literal

from msgspec import Struct, field

from smsdesk.carriers.http import HttpConfig, UrlOrNone
from smsdesk.carriers.http_template import check_template
from smsdesk.domain.outcome import REASONS

State = Literal["sent", "delivered", "undelivered", "expired", "failed"]
SECRETS = ("api_key", "api_secret", "api_token")
PLACEHOLDERS = (
    "source", "destination", "source_digits", "destination_digits", "text_id", "attempt", "callback_url", "encoding",
    *SECRETS,
)  # fmt: skip
"""`_digits` are without the plus; `encoding` is gsm7 or ucs2. `{body}` is the text itself, and in no header.
A field that is `{media_urls}` becomes the list of what goes with a text; without one, the line carries no files."""


class Answers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the gateway's answers are read. Patterns are searched in the HTTP status, a space and the body."""

    message_id: str = ""
    """The path of its name for the text in a JSON answer, such as `messages.0.id`."""
    message_id_pattern: str = ""
    """The same for other answers: a pattern whose first group is the name."""
    taken: str = ""
    """A pattern that says yes, for a gateway that names nothing; the text's own id and attempt are its name then."""
    refused: dict[str, str] = {}
    """Pattern to reason, the first that is found counts. `queue_full` rests the line, `carrier_error` tries the text
    again in a minute, all others are final."""


class Proof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a callback proves that it comes from the gateway."""

    kind: Literal["hmac", "basic", "bearer"] = "hmac"
    """An HMAC-SHA256 by `callback_secret`; a user with `callback_password`; `Authorization: Bearer` with
    `callback_token`."""
    user: str = ""
    header: str = "X-Signature"
    prefix: str = ""
    """What stands before the signature, such as `sha256=`."""
    encoding: Literal["hex", "base64"] = "hex"
    timestamp_header: str = ""
    """Has the time of signing in seconds since 1970; older than 5 minutes is refused."""
    signed: str = "{body}"
    """What is signed, out of `{timestamp}` and `{body}`, such as `{timestamp}.{body}`."""


class Callbacks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where things are in what the gateway posts: paths into JSON, or names in a form or a query."""

    proof: Proof = Proof()
    events: str = ""
    """The path of a list with several events; a list at the top is read as one anyhow."""
    report_id: str = ""
    report_status: str = ""
    """What has a status is a delivery report; all else is a text from a phone."""
    report_code: str = ""
    report_number: str = ""
    statuses: dict[str, State] = {}
    """Their word to ours. A word that is not here is kept as an interim report."""
    codes: dict[str, str] = {}
    """Their word for why it failed, or their status, to a reason of ours."""
    reply_id: str = ""
    reply_from: str = ""
    reply_to: str = ""
    reply_body: str = ""
    reply_media: str = ""
    """The path of what came with a text: a list of addresses, one address, or a list of objects."""
    reply_media_url: str = "url"
    """Where in such an object its address is."""
    answer_status: int = 200
    answer_body: str = ""


class Search(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the gateway is asked about a doubtful text, by GET."""

    url: UrlOrNone = ""
    """With placeholders, such as `https://sms.example.com/messages?reference={text_id}-{attempt}`."""
    message_id: str = ""
    """The path of the message's name in the answer."""
    status: str = ""
    """The path of its status."""
    absent: str = ""
    """A pattern that says for certain that there is no such message; searched like those of answers."""


class Config(HttpConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a line to a gateway that speaks plain HTTP. `base_url` is where texts are sent; it may have
    placeholders."""

    method: Literal["POST", "PUT", "GET"] = "POST"
    content_type: Literal["json", "form"] = "json"
    """How the fields are written. With GET they are in the query."""
    fields: dict[str, Any]
    """What is sent: names and templates; for JSON also nested."""
    headers: dict[str, str] = field(default_factory=dict)
    username: str = ""
    user_password: str = ""
    """For HTTP Basic."""
    api_key: str = ""
    api_secret: str = ""
    api_token: str = ""
    """Secrets for the templates: `{api_key}`, `{api_secret}`, `{api_token}`."""
    answers: Answers
    callbacks: Callbacks = Callbacks()
    callback_secret: str = ""
    previous_callback_secret: str = ""
    callback_password: str = ""
    previous_callback_password: str = ""
    callback_token: str = ""
    previous_callback_token: str = ""
    search: Search = Search()

    def __post_init__(self) -> None:
        """Raises ValueError for what cannot work, so that `apply` finds it."""
        check_template(self.base_url, (*PLACEHOLDERS, "body"))
        check_template(self.fields, (*PLACEHOLDERS, "body", "media_urls"))
        check_template(self.search.url, (*PLACEHOLDERS, "body"))
        check_template(self.headers, PLACEHOLDERS)
        check_template(self.callbacks.proof.signed, ("timestamp", "body"))
        answers = self.answers
        if not (answers.message_id or answers.message_id_pattern or answers.taken):
            raise ValueError("answers: say how a yes is known: message_id, message_id_pattern or taken")
        _check_patterns(answers.message_id_pattern, answers.taken, self.search.absent, *answers.refused)
        if answers.message_id_pattern and not re.compile(answers.message_id_pattern).groups:
            raise ValueError("answers: message_id_pattern needs a group, as in id=(\\w+)")
        unknown = sorted({*answers.refused.values(), *self.callbacks.codes.values()} - set(REASONS))
        if unknown:
            raise ValueError(f'there is no reason "{unknown[0]}": there are {", ".join(REASONS)}')


def _check_patterns(*patterns: str) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"the pattern {pattern!r} cannot be read: {error}") from None

"""How the quick route looks in the OpenAPI document, since it does not pass through the framework."""

from typing import Any, Literal

import msgspec

from smsdesk.api.v1.chat_object import SentChatObject
from smsdesk.api.v1.chats import ErrorObject
from smsdesk.api.v1.explanation import Explanation
from smsdesk.contract import errors, examples


class SendRequest(msgspec.Struct, kw_only=True):
    """A text to a consumer. Keys that are not named here are ignored."""

    chat_type: str
    end_user_number: str
    outbound_number: str
    message: str
    ticket_id: str | None = None
    agentId: int | str | None = None  # noqa: N815 - the imitated API's spelling
    agentEmail: str | None = None  # noqa: N815
    agent_id: int | str | None = None
    agent_email: str | None = None
    chat_subtype: str | None = None
    on_doubt: Literal["hold", "resend"] | None = None
    category: Literal["transactional", "marketing", "urgent"] | None = None
    end_user_time_zone: str | None = None


_REF = "#/components/schemas/{name}"
_, SMS_SCHEMAS = msgspec.json.schema_components(
    [SendRequest, SentChatObject, Explanation, ErrorObject], ref_template=_REF
)


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


def _refusals() -> dict[str, Any]:
    sentences: dict[int, list[str]] = {}
    for error in errors().values():
        sentences.setdefault(error.status, []).append(error.message)
    wanted = (400, 401, 405, 413, 415, 422, 429, 500, 503)
    return {
        str(status): {"description": "; ".join(sentences[status]), "content": _json("ErrorObject")}
        for status in wanted
        if status in sentences
    }


def _request_example() -> Any:
    return msgspec.json.decode(examples()[0].request)


SMS_PATH_ITEM: dict[str, Any] = {
    "post": {
        "tags": ["SMS"],
        "operationId": "SendSms",
        "summary": "Open a chat with a consumer and send its first text",
        "description": "Answers 200 when the chat and its text are on disk. A second request while the chat is open "
        "is refused, or appended where the tenant's `when_active` says so.",
        "parameters": [
            {
                "name": "dry_run",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean", "default": False},
                "description": "Explain what would happen and send nothing.",
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                "description": "The same key and body give the first answer again, byte for byte, and send nothing.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": _REF.format(name="SendRequest")},
                    "examples": {"seed": {"value": _request_example()}},
                }
            },
        },
        "responses": {
            "200": {
                "description": "The chat as it was opened; with `dry_run`, the explanation.",
                "content": {
                    "application/json": {
                        "schema": {
                            "anyOf": [
                                {"$ref": _REF.format(name="SentChatObject")},
                                {"$ref": _REF.format(name="Explanation")},
                            ]
                        }
                    }
                },
            },
            **_refusals(),
        },
    }
}

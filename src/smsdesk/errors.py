"""Problem, the one exception that a user is shown, and the closed list of its reasons. No HTTP here.

Problem
`-- raised by actions and domain; `api/problems.py` turns the reason into the imitated API's sentence and status
"""

from typing import Literal, get_args

Reason = Literal[
    "chat_type_missing",
    "chat_type_invalid",
    "sms_disabled",
    "outbound_sms_disabled",
    "end_user_number_missing",
    "end_user_number_invalid",
    "non_us_number",
    "outbound_number_missing",
    "outbound_number_invalid",
    "outbound_number_unknown",
    "message_missing",
    "message_too_long",
    "agent_unknown",
    "end_user_blocked",
    "end_user_opted_out",
    "consent_in_doubt",
    "active_session",
    "idempotency_mismatch",
    "idempotency_key_invalid",
    "body_not_object",
    "chat_ended",
    "chat_status_wrong",
    "chat_taken",
    "offer_over",
    "transfer_open",
    "transfer_over",
    "agent_unavailable",
    "not_in_chat",
    "forbidden",
    "status_not_chosen",
    "end_user_conflict",
    "not_doubtful",
    "sign_in_refused",
    "too_many_tries",
    "second_factor_wrong",
    "link_over",
    "password_unfit",
    "identity_refused",
    "answered_meanwhile",
    "not_found",
    "parameter_invalid",
    "overloaded",
]
REASONS: frozenset[str] = frozenset(get_args(Reason))


class Problem(Exception):
    """A request that cannot be done, and why; `detail` says where and what to do, for people."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail

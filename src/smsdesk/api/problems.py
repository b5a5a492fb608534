"""Every refusal's answer: the imitated API's status and sentence, as `contract/errors.yaml` has them."""

from functools import cache

import msgspec

from smsdesk.contract import errors
from smsdesk.errors import Problem


@cache
def refusal(reason: str) -> tuple[int, bytes]:
    """Status and body for a reason."""
    error = errors()[reason]
    return error.status, msgspec.json.encode({"message": error.message})


def answer(problem: Problem) -> tuple[int, bytes]:
    """Status and body for a problem; its own detail is said instead of the table's sentence, where it has one."""
    status, body = refusal(problem.reason)
    return (status, msgspec.json.encode({"message": problem.detail})) if problem.detail else (status, body)

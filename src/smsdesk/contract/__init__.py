"""The record of the imitated API, as data beside this file: its examples, sentences and words, each with its page.

Here belong what the other side says and where it says it. What we do about it belongs in `api`; whether a server keeps
to it is asked by `conform`. Nobody else reads this. `README.md` describes the files.
"""

from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import msgspec
from ruamel.yaml import YAML

Need = Literal["free_consumer", "agent", "sms_off", "outbound_off", "unknown_outbound_number", "active_session"]
T = TypeVar("T")


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request of a page and its answer. `request` and `response` are JSON text in the page's order of keys."""

    name: str
    title: str
    page: str
    needs: tuple[Need, ...]
    status: int
    request: str
    response: str
    note: str = ""


class Error(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a refusal is called here (`reason`), and what its answer says there."""

    reason: str
    status: int
    message: str
    when: str
    origin: Literal["page", "ours"]
    page: str = ""


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a closed list, and how sure it is: see the head of `statuses.yaml`."""

    value: str
    meaning: str
    page: str
    mark: Literal["page", "translated", "public", "inferred", "unknown"]
    code: int | None = None


@cache
def examples() -> tuple[Example, ...]:
    """The examples of the page `apps-api-sms`, in its order."""
    return _read("examples.yaml", tuple[Example, ...])


@cache
def errors() -> dict[str, Error]:
    """Every refusal by its reason, in the order of the checks."""
    return {error.reason: error for error in _read("errors.yaml", tuple[Error, ...])}


@cache
def statuses() -> dict[str, tuple[Word, ...]]:
    """The closed lists by name, such as `chat_status`."""
    return _read("statuses.yaml", dict[str, tuple[Word, ...]])


def _read(name: str, kind: type[T]) -> T:
    text = files(__package__ or __name__).joinpath(name).read_text(encoding="utf-8")
    return msgspec.convert(YAML(typ="safe", pure=True).load(text), kind)

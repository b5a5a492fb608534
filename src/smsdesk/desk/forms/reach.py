"""What an administrator may point at on the server. The file is its operator's; a form is filled in from elsewhere."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from smsdesk.domain.setup import State
from smsdesk.setup.faults import Fault, WrongValue
from smsdesk.setup.secrets import is_file
from smsdesk.setup.values import Value

OURS = "SMSDESK_"
"""What variables of the server itself begin with, such as the address of its database."""


def out_of_reach(root: Value, state: State, others: Collection[str]) -> Iterator[Fault]:
    """The references of a document that a person at the desk may not make: to files of the server, to its own
    variables, and, where it has `others` as tenants, to variables that are not named for this one.

    Without this an administrator could have any secret of the server sent to a host of his own. A reference that the
    set-up has already is the operator's, and may stay.
    """
    known = {_key(each) for each in _references(list(state.things.values()))}
    start = _start_of(state.subdomain)
    # `acme-b` has names that begin as those of `acme` do.
    longer = tuple(each for each in map(_start_of, others) if each.startswith(start) and each != start)
    for value, kind, place in _named(root, set()):
        if kind == "wrong":
            yield Fault(value.place, place)
            return
        if (kind, place) in known:
            continue
        if kind == "file":
            yield Fault(value.place, "files of the server are named in its own set-up file only: name a variable here, "
                                     "or use `smsdesk apply`")  # fmt: skip
        elif place.upper().startswith(OURS):
            yield Fault(value.place, f"variables that begin with {OURS} are the server's own: use another name")
        elif others and (not place.startswith(start) or place.startswith(longer)):
            says = f"this server has several tenants: a variable of yours begins with {start}"
            yield Fault(value.place, f"{says}, and not as those of another do")


def _start_of(subdomain: str) -> str:
    return f"{subdomain.upper().replace('-', '_')}_"


def _named(value: Value, seen: set[int]) -> Iterator[tuple[Value, str, str]]:
    """The references that stand in a document: mappings of one key `env` or `file`, and paths of files. What stands
    behind several aliases is looked at once, also where it holds itself. What cannot be read is `wrong`."""
    if id(value.node) in seen:
        return
    seen.add(id(value.node))
    try:
        entries, fields = value.entries() if value.is_list else [], value.fields() if value.is_mapping else {}
    except WrongValue as wrong:
        yield value, "wrong", str(wrong)
        return
    if value.is_list:
        for each in entries:
            yield from _named(each, seen)
    else:
        for name, each in fields.items():
            if name in ("env", "file") and each.is_scalar:
                yield each, name, str(each.node.value).strip()
            elif (is_file(name) or name == "rates") and each.is_scalar and not each.is_null:
                if str(each.node.value).strip():
                    yield each, "file", str(each.node.value).strip()
            else:
                yield from _named(each, seen)


def _references(value: Any) -> Iterator[tuple[str, Any]]:
    """The references of a set-up as it stands."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if name in ("env", "file") or is_file(str(name)):
                yield ("env" if name == "env" else "file"), each
            yield from _references(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _references(each)


def _key(each: tuple[str, Any]) -> tuple[str, str]:
    return each[0], str(each[1])

"""The settings of a queue: a reader for each field of `domain.queue_settings.QueueSettings`, and what does not go
together among them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from smsdesk.domain.queue_settings import NAMES, QueueSettings, Routing
from smsdesk.domain.setup import Fields, Key, State, effective
from smsdesk.setup.faults import Fault, Place, WrongValue
from smsdesk.setup.hours import hours
from smsdesk.setup.lists import distinct
from smsdesk.setup.texts import texts
from smsdesk.setup.values import Reader, Value, boolean, choice, integer, mapping, nullable, text
from smsdesk.setup.wanted import Item

MOST_GROUPS = 20
_LANGUAGE = re.compile(r"[a-z]{2}")
_DEFAULTS = QueueSettings()


def _language(value: Value) -> str:
    code = text(20)(value)
    if not _LANGUAGE.fullmatch(code):
        raise WrongValue(f'"{code}" is no language: use the two letters of ISO 639-1, such as en or es')
    return code


def _groups(value: Value) -> list[dict[str, Any]]:
    groups = [group for each in value.entries() if (group := each.read(_group)) is not None]
    names = [group["name"] for group in groups]
    if len(set(names)) < len(names):
        raise WrongValue("two groups have one name: give one of them another")
    if len(groups) > MOST_GROUPS:
        raise WrongValue(f"has {len(groups)} groups: at most {MOST_GROUPS}")
    return groups


def _group(value: Value) -> dict[str, Any] | None:
    fields, places = mapping(value, {"name": text(60), "percent": integer(0, 100), "seconds": integer(5, 3_600)})
    if "name" not in places:
        raise WrongValue("has no name: give it one, such as name: Seniors")
    return fields if "name" in fields else None


def _disposition(value: Value) -> str:
    word = text(120)(value)
    if not all(part.strip() for part in word.split("/")):
        raise WrongValue(f'"{word}" has an empty part: write it as Billing/Refund')
    return word


QUEUE_SETTINGS: dict[str, Reader[Any]] = {
    "lang": _language,
    "routing": choice(*get_args(Routing)),
    "auto_answer": boolean,
    "offer_seconds": integer(5, 600),
    "groups": _groups,
    "skills": distinct(text(60)),
    "hours": hours,
    "after_hours": choice("queue", "close"),
    "texts": texts,
    "hold_seconds": integer(1, 86_400),
    "queue_expiry_minutes": integer(0, 10_080),
    "agent_silence_minutes": integer(0, 10_080),
    "consumer_silence_minutes": integer(0, 43_200),
    "dismissal_minutes": integer(0, 10_080),
    "orphan_minutes": integer(0, 1_440),
    "reply_to_closed": choice("queue", "last_agent"),
    "survey": boolean,
    "survey_minutes": integer(1, 10_080),
    "wrap_up_seconds": integer(0, 3_600),
    "dispositions": distinct(_disposition),
    "target_seconds": integer(0, 86_400),
}
"""`null` for any of them goes back to what the queue above has, or the tenant, or to the default. 10,080 minutes are a
week, the imitated product's most for a dismissal."""

READERS: dict[str, Reader[Any]] = {name: nullable(reader) for name, reader in QUEUE_SETTINGS.items()}


def queue_defaults(value: Value) -> dict[str, Any]:
    """Reads what all queues of a tenant begin with."""
    return mapping(value, READERS)[0]


def effective_of(state: State, path: str) -> dict[str, Any]:
    """The settings of a queue after inheritance, as they are stored; of no queue, with the path empty, the tenant's."""
    settings, queues = state.things.get(("settings", ""), {}), state.of("queue")
    above = [queues.get(each, {}) for each in _lineage(path)]
    own = [{name: fields[name] for name in NAMES if fields.get(name) is not None} for fields in above]
    return effective([settings.get("queue_defaults") or {}, *own], settings.get("time_zone") or "UTC")


def _lineage(path: str) -> list[str]:
    """The paths of the queues above one, from the top, and its own."""
    names = path.split("/") if path else []
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]


def contradictions(after: State, items: Mapping[Key, Item]) -> Iterator[Fault]:
    """What does not go together among a queue's settings, its own and those of above, said where the file names it."""
    for path in ("", *after.of("queue")):
        settings = items.get(("settings", ""))
        named = [item for each in reversed(_lineage(path)) if (item := items.get(("queue", each)))]
        named += [settings] if settings and "queue_defaults" in settings.fields else []
        if named:
            for names, says in _contradicting(effective_of(after, path)):
                yield Fault(_place(named, names), says)


def _contradicting(settings: Fields) -> Iterator[tuple[Sequence[str], str]]:
    def of(name: str) -> Any:
        return settings.get(name, getattr(_DEFAULTS, name))

    routing, groups = of("routing"), of("groups")
    if of("auto_answer") and routing != "deltacast":
        yield ("auto_answer", "routing"), f"auto_answer goes with routing: deltacast only, and this is {routing}"
    if routing in ("cascade", "percent_allocation") and not groups:
        yield ("routing", "groups"), f"routing: {routing} needs groups: write groups: [{{name: Seniors}}, ...]"
    elif routing == "percent_allocation" and (total := sum(group.get("percent", 0) for group in groups)) != 100:
        yield ("groups", "routing"), f"the percent of all groups come to {total}: they must come to 100"
    if 0 < of("consumer_silence_minutes") < of("dismissal_minutes"):
        names = ("dismissal_minutes", "consumer_silence_minutes")
        yield names, "dismissal_minutes is above consumer_silence_minutes, which ends the chat before: make it less"


def _place(named: Sequence[Item], names: Sequence[str]) -> Place:
    """Where the nearest of the items names one of the settings; else the nearest item."""
    for item in named:
        for name in names:
            if name in item.fields:
                return item.where(name)
        if set(names) & set(item.fields.get("queue_defaults") or {}):
            return item.where("queue_defaults")
    return named[0].place

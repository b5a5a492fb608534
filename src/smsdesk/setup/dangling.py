"""What would point at nothing once a document is applied: judged on all that will stand then."""

from collections.abc import Iterator, Mapping

from smsdesk.domain.setup import Fields, Key, State, read_limit_name
from smsdesk.setup.faults import Fault, meant
from smsdesk.setup.queues import children_of, parent_of
from smsdesk.setup.wanted import Item

Items = Mapping[Key, Item]


def dangling(before: State, after: State, items: Items) -> Iterator[Fault]:
    """The mistakes that only show against the whole: all that stood and will stand, and what the document names.

    Each is said where the document names what is missing, else where it takes away what something else still needs.
    """
    for number, fields in after.of("number").items():
        item = items.get(("number", number))
        yield from _carrier(number, fields, item, after, items)
        yield from _fallbacks(number, fields, item, after, items)
        yield from _queue(number, fields, item, items)
        yield from _agent(number, fields, item, after, items)
    yield from _default_queue(after, items)
    for name in after.of("limit"):
        yield from _limit(name, before, after, items)
    below = {parent_of(path): path for path in reversed(after.of("queue"))}
    for email, fields in after.of("agent").items():
        if ("agent", email) not in items:
            yield from _leaves(email, fields, below, items)


def _carrier(number: str, fields: Fields, item: Item | None, after: State, items: Items) -> Iterator[Fault]:
    name, carriers = fields["carrier"], after.of("carrier")
    if item and name is None and "carrier" not in item.places:
        yield Fault(item.place, f"the new number needs a carrier.{meant('', carriers)}")
    elif name is not None and name not in carriers:
        gone = items.get(("carrier", name))
        if item and "carrier" in item.fields:
            yield Fault(item.where("carrier"), f'there is no carrier "{name}".{meant(name, carriers)}')
        elif gone:
            yield Fault(gone.place, f"the number {number} still uses it: give that another carrier, or delete it")


def _fallbacks(number: str, fields: Fields, item: Item | None, after: State, items: Items) -> Iterator[Fault]:
    carriers, named = after.of("carrier"), item is not None and "fallbacks" in item.fields
    for index, name in enumerate(fields["fallbacks"]):
        gone = items.get(("carrier", name))
        if item and name == fields["carrier"]:
            where = item.where(f"fallbacks[{index}]" if named else "carrier")
            yield Fault(where, f'"{name}" would be the carrier of {number} and its fallback: take it from one of them')
        elif item and name in fields["fallbacks"][:index]:
            yield Fault(item.where(f"fallbacks[{index}]"), f'"{name}" stands here twice: keep one of them')
        elif item and named and name not in carriers:
            yield Fault(item.where(f"fallbacks[{index}]"), f'there is no carrier "{name}".{meant(name, carriers)}')
        elif gone and name not in carriers:
            yield Fault(gone.place, f"the number {number} falls back to it: give that other `fallbacks`, or []")


def _queue(number: str, fields: Fields, item: Item | None, items: Items) -> Iterator[Fault]:
    gone = items.get(("queue", fields["queue"] or ""))
    if gone and gone.deleted and not (item and "queue" in item.fields):
        yield Fault(gone.place, f"the number {number} still leads to it: give that another queue, or null")


def _agent(number: str, fields: Fields, item: Item | None, after: State, items: Items) -> Iterator[Fault]:
    email = fields["agent"]
    if email is None:
        return
    agents, named = after.of("agent"), item is not None and "agent" in item.fields
    gone = items.get(("agent", email))
    if item and fields["queue"] is not None:
        says = f"{number} would lead to {email} and to {fields['queue']}: write queue: null, or agent: null"
        yield Fault(item.where("agent" if named else "queue"), says)
    if item and named and email not in agents:
        yield Fault(item.where("agent"), f'there is no agent "{email}".{meant(email, agents)}')
    elif item and named and agents[email]["disabled"]:
        yield Fault(item.where("agent"), f"{email} is disabled: give the number to another agent, or to a queue")
    elif gone and email in agents and agents[email]["disabled"]:
        yield Fault(
            gone.where("disabled"), f"the number {number} still leads to {email}: give that another agent, or a queue"
        )


def _default_queue(after: State, items: Items) -> Iterator[Fault]:
    settings = items.get(("settings", ""))
    path = after.things.get(("settings", ""), {}).get("default_queue")
    if path is None or (settings and "default_queue" in settings.fields):
        return
    gone = items.get(("queue", path))
    if gone and gone.deleted:
        yield Fault(gone.place, "it is the default_queue of the settings: give them another, or null")
    below = [item for name in children_of(path, after.of("queue")) if (item := items.get(("queue", name)))]
    if below:
        yield Fault(below[0].place, f"{path} is the default_queue, which must be a leaf: give the settings another")


def _limit(name: str, before: State, after: State, items: Items) -> Iterator[Fault]:
    scope, of, _ = read_limit_name(name)
    there = _limitable(scope, after)
    if scope == "tenant" or of in there:
        return
    if item := items.get(("limit", name)):
        what = f"number {of} is not set up" if scope == "number" else f'there is no {scope} "{of}"'
        remedy = f"give it to a number as its `{scope}`" if scope in ("campaign", "brand") else "set it up as well"
        yield Fault(item.where(scope), f"{what}: {remedy}.{meant(of, there)}")
        return
    for gone in items.values():
        belonged = gone.kind == "number" and scope != "carrier" and before.things.get(gone.key, {}).get(scope) == of
        if belonged or gone.key == (scope, of):
            yield Fault(gone.place, f"the limit {name} would limit nothing: delete that as well")


def _limitable(scope: str, after: State) -> set[str]:
    """The names that a limit of the scope may have."""
    if scope in ("campaign", "brand"):
        return {fields[scope] for fields in after.of("number").values() if fields[scope] is not None}
    return set(after.of("carrier" if scope == "carrier" else "number"))


def _leaves(email: str, fields: Fields, below: Mapping[str, str], items: Items) -> Iterator[Fault]:
    for path in fields["queues"]:
        child = items.get(("queue", below.get(path, "")))
        if child:
            says = f"{email} works in {path}, which would no longer be a leaf: give the agent other queues as well"
            yield Fault(child.place, says)

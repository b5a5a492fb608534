"""What would point at nothing once a document is applied: judged on all that will stand then."""

from collections.abc import Iterator, Mapping

from smsdesk.domain.setup import Fields, Key, State, read_limit_name
from smsdesk.setup.faults import Fault, meant
from smsdesk.setup.queues import parent_of
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
    for name in after.of("limit"):
        yield from _limit(name, before, after, items)
    for email, fields in after.of("agent").items():
        if ("agent", email) not in items:
            yield from _leaves(email, fields, after, items)


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


def _leaves(email: str, fields: Fields, after: State, items: Items) -> Iterator[Fault]:
    for path in fields["queues"]:
        below = [name for name in after.of("queue") if parent_of(name) == path]
        if below and ("queue", below[0]) in items:
            says = f"{email} works in {path}, which would no longer be a leaf: give the agent other queues as well"
            yield Fault(items["queue", below[0]].place, says)

"""What a tenant still lacks before a text goes out and its answer is read: the first thing first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from smsdesk.domain.setup import State
from smsdesk.setup.secrets import unresolvable

Lack = Literal[
    "no_carrier", "secret_missing", "no_number", "number_leads_nowhere", "no_agent", "queue_without_agents",
    "no_company_name", "no_prices", "no_fallbacks", "no_token",
]  # fmt: skip
NEEDED: frozenset[Lack] = frozenset(("no_carrier", "secret_missing", "no_number", "number_leads_nowhere", "no_agent"))
"""Without which a text does not go out, or its answer is read by nobody. The others are choices."""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing."""

    lack: Lack
    section: str
    """Of the file, where it would be given."""
    names: tuple[str, ...] = ()
    """The things that lack it."""
    says: str = ""

    @property
    def needed(self) -> bool:
        return self.lack in NEEDED


def missing(state: State, environment: Mapping[str, str], tokens: int) -> list[Missing]:
    """All that is missing; `tokens` is how many API tokens are in use."""
    found = [*_lines(state, environment), *_people(state)]
    if not state.things.get(("settings", ""), {}).get("company_name"):
        found.append(Missing("no_company_name", "settings/general"))
    if not tokens:
        found.append(Missing("no_token", "tokens"))
    return sorted(found, key=lambda each: not each.needed)


def _lines(state: State, environment: Mapping[str, str]) -> Iterator[Missing]:
    carriers, numbers = state.of("carrier"), state.of("number")
    if not carriers:
        yield Missing("no_carrier", "carriers")
    for name, config in carriers.items():
        for says in unresolvable(config, environment):
            yield Missing("secret_missing", "carriers", (name,), says)
    if not numbers:
        yield Missing("no_number", "numbers")
    nowhere = tuple(name for name, each in numbers.items() if not each["queue"] and not each["agent"])
    if nowhere:
        yield Missing("number_leads_nowhere", "numbers", nowhere)
    if unpriced := tuple(name for name, each in carriers.items() if not each.get("rates")):
        yield Missing("no_prices", "carriers", unpriced)
    if alone := tuple(name for name, each in numbers.items() if not each["fallbacks"]):
        yield Missing("no_fallbacks", "numbers", alone)


def _people(state: State) -> Iterator[Missing]:
    queues, agents = state.of("queue"), [each for each in state.of("agent").values() if not each["disabled"]]
    if not agents:
        yield Missing("no_agent", "agents")
    staffed = {path for each in agents for path in each["queues"]}
    parents = {path.rpartition("/")[0] for path in queues}
    if empty := tuple(path for path in queues if path not in parents and path not in staffed):
        yield Missing("queue_without_agents", "agents", empty)

"""Each kind of thing that a set-up file has a list of: its fields, what fills them, and where it stands in a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsdesk.carriers.registry import CARRIERS
from smsdesk.desk.forms.configs import config_fields, inherited_of
from smsdesk.desk.forms.fields import N_, Field
from smsdesk.desk.forms.queue import inherited_by, queue_fields
from smsdesk.desk.forms.showing import Inherited
from smsdesk.domain.pace import SCOPES
from smsdesk.domain.setup import NEW, PERIODS, Kind, State
from smsdesk.domain.shortcut import VARIABLES
from smsdesk.setup.agents import groups_of
from smsdesk.setup.carriers import defaults
from smsdesk.setup.export import agent_of, carrier_of, limit_of, number_of, queue_settings_of
from smsdesk.setup.queues import DEEPEST, children_of

ROLES = {"agent": N_("Agent"), "supervisor": N_("Supervisor"), "administrator": N_("Administrator")}
_SCOPE_WORDS = {"number": N_("A number"), "campaign": N_("A campaign"), "brand": N_("A brand"),
                "carrier": N_("A carrier"), "tenant": N_("The whole company")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """A thing as a form: what may be typed, and what stands there now."""

    fields: list[Field]
    document: Mapping[str, Any] = field(default_factory=dict)
    inherited: Mapping[str, Inherited] = field(default_factory=dict)
    type: str = ""
    """Of carriers, whose types have different fields."""


def carrier_form(state: State, name: str | None, kind: str) -> Form:
    """A carrier; `kind` is the type of a new one."""
    before = state.of("carrier").get(name or "", {})
    kind = before.get("type") or kind
    if kind not in CARRIERS:
        return Form([])
    config = CARRIERS[kind].Config
    rates = before.get("rates")
    fields = [
        Field("name", N_("Name"), empty="text", required=True, fixed=name is not None),
        Field("type", N_("Type"), empty="text", fixed=True),
        *config_fields(config),
        Field("rates", N_("Price list"), "group", empty="omit", fields=[
            Field("csv", N_("Its lines"), "area", empty="omit",
                  help=N_("First `prefix,price,currency`, then a line each. Nothing typed keeps the prices."))]),
    ]  # fmt: skip
    own = carrier_of(name, before, rates=False) if name is not None else {"type": kind}
    known = inherited_of(defaults(config))
    return Form(fields, own, known | ({"rates": Inherited(str(rates))} if rates else {}), kind)


def queue_form(state: State, name: str | None, parent: str) -> Form:
    """A queue; `parent` is the path of the one that a new one stands below."""
    queues = state.of("queue")
    parents = sorted(path for path in queues if path.count("/") < DEEPEST - 1)
    if name is None:
        return Form(queue_fields(parents, new=True), {"parent": parent}, inherited_by(state, f"{parent}/".lstrip("/")))
    above, _, last = name.rpartition("/")
    own = queue_settings_of({key: each for key, each in queues[name].items() if key != "position"})
    return Form(queue_fields(parents, new=False), {**own, "name": last, "parent": above}, inherited_by(state, name))


def number_form(state: State, name: str | None, _: str) -> Form:
    """A number."""
    carriers, numbers = sorted(state.of("carrier")), state.of("number").values()
    campaigns = sorted({each["campaign"] for each in numbers if each["campaign"]})
    brands = sorted({each["brand"] for each in numbers if each["brand"]})
    people = sorted(email for email, each in state.of("agent").items() if not each["disabled"])
    fields = [
        Field("number", N_("Number"), empty="text", required=True, fixed=name is not None,
              help=N_("With its country, such as `+1 628-555-0199`, or a short code.")),
        Field("label", N_("Label"), empty="text", help=N_("What people call it.")),
        Field("carrier", N_("Carrier"), "choice", choices=carriers, empty="text" if name else "omit", required=True,
              offered=N_("Choose one")),
        Field("fallbacks", N_("Carriers while that one is down"), "rows", empty="omit", required=True,
              help=N_("The first one first."),
              fields=[Field("", N_("Carrier"), "choice", choices=carriers, empty="omit", offered=N_("None"))]),
        Field("queue", N_("Queue or menu that replies go to"), "choice", choices=_tree(state), offered=N_("None")),
        Field("agent", N_("Or the one agent whose number it is"), "choice", choices=people, offered=N_("None")),
        Field("campaign", N_("Campaign"), choices=campaigns, help=N_("What it is registered under, where it is.")),
        Field("brand", N_("Brand"), choices=brands,
              help=N_("A consumer's consent may hold for all numbers of one brand.")),
    ]  # fmt: skip
    return Form(fields, number_of(name, state.of("number")[name]) if name is not None else {})


def limit_form(state: State, name: str | None, _: str) -> Form:
    """A limit, known by all but its segments."""
    things = [*state.of("number"), *state.of("carrier"), *(each[key] for each in state.of("number").values()
              for key in ("campaign", "brand") if each[key])]  # fmt: skip
    fixed = name is not None
    fields = [
        Field("scope", N_("What is limited"), "choice", choices=SCOPES, empty="text", required=True, fixed=fixed,
              offered=N_("Choose one"), words=[_SCOPE_WORDS[each] for each in SCOPES]),
        Field("of", N_("Which one"), choices=sorted(dict.fromkeys(things)), empty="text", fixed=fixed,
              help=N_("The number, or the name of the campaign, brand or carrier; nothing for the tenant.")),
        Field("segments", N_("Segments at most"), "integer", empty="text", required=True),
        Field("per", N_("In the time of"), "integer", choices=list(PERIODS), empty="text", required=True, fixed=fixed,
              help=N_("`second`, `minute`, `hour`, `day`, or a number of seconds.")),
    ]  # fmt: skip
    if name is None:
        return Form(fields)
    own = limit_of(name, state.of("limit")[name])
    scope = next(each for each in SCOPES if each in own)
    return Form(fields, {**own, "scope": scope, "of": "" if scope == "tenant" else own[scope]})


def agent_form(state: State, name: str | None, _: str) -> Form:
    """An agent."""
    queues = state.of("queue")
    leaves = sorted(path for path in queues if not children_of(path, queues))
    groups = sorted({each.get("name", "") for path in leaves for each in groups_of(state, path)})
    fields = [
        Field("email", N_("E-mail address"), empty="text", required=True, fixed=name is not None),
        Field("first_name", N_("First name"), empty="text"),
        Field("last_name", N_("Last name"), empty="text"),
        Field("role", N_("Role"), "choice", choices=list(ROLES), empty="omit", offered=N_("As it is"),
              words=list(ROLES.values())),
        Field("queues", N_("Queues"), "rows", empty="omit", required=True, fields=[
            Field("queue", N_("Queue"), "choice", choices=leaves, empty="omit", offered=N_("None")),
            Field("group", N_("Group"), choices=groups, empty="omit")]),
        Field("skills", N_("Skills"), "lines", empty="omit", required=True),
        Field("max_chats", N_("Chats at a time"), "integer", help=N_("Nothing: as the settings say.")),
        Field("agent_number", N_("Agent number"), "integer"),
        Field("avatar_url", N_("Address of a picture")),
        Field("password", N_("Password"), "secret", empty="omit", offered=N_("As it is"),
              help=N_("Where it stands on the server. Simpler: invite the agent, who then chooses one.")),
        Field("disabled", N_("Disabled"), "switch", empty="omit", offered=N_("As it is"),
              help=N_("Signed out at once; the chats wait in their queues again. Agents are never deleted.")),
    ]  # fmt: skip
    if name is None:
        return Form(fields, {"role": "agent"})
    own = {"disabled": False, "role": "agent", **agent_of(state, state.of("agent")[name])}
    own["queues"] = [each if isinstance(each, Mapping) else {"queue": each} for each in own.get("queues", ())]
    return Form(fields, own, {"max_chats": Inherited(state.things.get(("settings", ""), {}).get("chats_per_agent", 3))})


def shortcut_form(state: State, name: str | None, _: str) -> Form:
    """A shortcut."""
    every = state.of("shortcut")
    fields = [
        Field("name", N_("Name"), empty="text", required=True, fixed=name is not None,
              help=N_("What an agent types after `/`: one word.")),
        Field("category", N_("Category"), empty="text", choices=sorted({each["category"] for each in every.values()})),
        Field("text", N_("Text"), "area", empty="text", required=True,
              help=N_("May hold:") + " " + ", ".join(f"`@{{{each}}}`" for each in VARIABLES)),
    ]  # fmt: skip
    return Form(fields, {"name": name, **every[name]} if name is not None else {})


def _tree(state: State) -> list[str]:
    return sorted(state.of("queue"))


def is_there(state: State, kind: Kind, name: str) -> bool:
    """Whether there is such a thing."""
    return (kind, name) in state.things and kind in NEW

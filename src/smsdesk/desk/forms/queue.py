"""The fields of a queue, and of what all queues begin with."""

from dataclasses import replace
from typing import Any, get_args

from smsdesk.desk.forms.fields import N_, Field
from smsdesk.desk.forms.prose import helps
from smsdesk.desk.forms.showing import Inherited
from smsdesk.domain.queue_settings import TEXTS, QueueSettings, Routing
from smsdesk.domain.setup import State
from smsdesk.domain.wordings import VARIABLES, template_of
from smsdesk.setup.queues import parent_of

_TEXT_LABELS = {
    "greeting": N_("Greeting"), "menu": N_("Menu"), "not_understood": N_("Answer to what is not on the menu"),
    "after_hours": N_("While it is closed"), "hold": N_("While one waits"), "closing": N_("When the chat ends"),
    "exit": N_("When one leaves the menu or queue"), "dismissed": N_("When one comes back after being set aside"),
    "resumed": N_("When the chat goes on"), "expired": N_("When nobody was free"),
    "timeout": N_("When one said nothing for too long"), "survey": N_("The question of the survey"),
    "survey_thanks": N_("Thanks for its answer"),
}  # fmt: skip
GROUPS_HELP = N_("Agents who are asked together: the first group first, or each by its share.")
TEXTS_HELP = N_("An empty one is not sent. May hold:") + " " + ", ".join(f"`@{{{name}}}`" for name in VARIABLES)

_GROUP = (
    Field("name", N_("Name")),
    Field("percent", N_("Share in percent"), "integer"),
    Field("seconds", N_("Seconds until the next group is asked too"), "integer"),
)
_SETTINGS = (
    Field("lang", N_("Language"), choices=("en", "es")),
    Field("routing", N_("Who is asked to take a chat"), "choice", choices=get_args(Routing),
          words=(N_("Longest idle first"), N_("All who are ready"), N_("Group after group"),
                 N_("Groups by their share"))),
    Field("auto_answer", N_("Chats open without being asked"), "switch"),
    Field("offer_seconds", N_("Seconds that an agent is asked"), "integer"),
    Field("groups", N_("Groups of its agents"), "rows", fields=_GROUP, own=True),
    Field("skills", N_("Skills that are needed"), "lines", own=True),
    Field("hours", N_("Opening hours"), "hours"),
    Field("after_hours", N_("A chat that comes while it is closed"), "choice", choices=("queue", "close"),
          words=(N_("It waits in the queue"), N_("It ends"))),
    Field("hold_seconds", N_("Seconds until the waiting text"), "integer"),
    Field("queue_expiry_minutes", N_("Minutes until a chat that nobody took fails"), "integer"),
    Field("agent_silence_minutes", N_("Minutes until an unanswered chat goes back to the queue"), "integer"),
    Field("consumer_silence_minutes", N_("Minutes until a silent consumer's chat ends"), "integer"),
    Field("dismissal_minutes", N_("Minutes until a silent consumer's chat is set aside"), "integer"),
    Field("orphan_minutes", N_("Minutes that one waits for an agent who has left"), "integer"),
    Field("reply_to_closed", N_("Who is asked first when one writes again"), "choice",
          choices=("queue", "last_agent"), words=(N_("The queue"), N_("Who had the chat last"))),
    Field("survey", N_("Survey after the chat"), "switch"),
    Field("survey_minutes", N_("Minutes that an answer to the survey counts"), "integer"),
    Field("wrap_up_seconds", N_("Seconds of wrap-up"), "integer"),
    Field("dispositions", N_("What a chat may have been about"), "lines", own=True),
    Field("target_seconds", N_("Seconds within which one ought to be answered"), "integer"),
    Field("texts", N_("Texts that it sends by itself"), "group",
          fields=[Field(name, _TEXT_LABELS[name], "area", own=True) for name in TEXTS]),
)  # fmt: skip


def queue_setting_fields() -> list[Field]:
    """The settings of a queue, each with its help."""
    said = helps(QueueSettings)
    own = {"hours": N_("When it is open, by the clock on the wall there."), "texts": TEXTS_HELP, "groups": GROUPS_HELP}
    return [replace(each, help={**said, **own}[each.name], offered=N_("Inherited")) for each in _SETTINGS]


def queue_fields(parents: list[str], *, new: bool) -> list[Field]:
    """A queue: its name and where it stands, then its settings. What is there already is not renamed or moved."""
    return [
        Field("name", N_("Name"), empty="text", required=True, fixed=not new),
        Field("parent", N_("Below"), "choice", choices=parents, empty="omit", fixed=not new,
              offered=N_("Nothing: it is at the top")),
        Field("keyword", N_("Keyword"), help=N_("A word that leads straight there when it is texted.")),
        Field("hidden", N_("Left out of the menu"), "switch", empty="omit", offered=N_("As it is")),
        *queue_setting_fields(),
    ]  # fmt: skip


def inherited_by(state: State, path: str, prefix: str = "") -> dict[str, Inherited]:
    """What each setting of a queue is without one of its own: that of the nearest queue above, else of the defaults of
    all queues, else ours. Texts one by one."""
    above = [(path, state.of("queue").get(path, {})) for path in _above(path)]
    settings = state.things.get(("settings", ""), {})
    sources: list[tuple[str, Any]] = [*above, *([("queue_defaults", settings.get("queue_defaults") or {})] if path or
                                                not prefix else [])]  # fmt: skip
    ours = QueueSettings()
    found: dict[str, Inherited] = {}
    for each in _SETTINGS:
        if each.name != "texts":
            default = "always" if each.name == "hours" else getattr(ours, each.name)
            found[prefix + each.name] = _nearest(sources, each.name, default)
    lang = str(found[f"{prefix}lang"].value)
    texts = [(source, own.get("texts") or {}) for source, own in sources]
    for name in TEXTS:
        found[f"{prefix}texts.{name}"] = _nearest(texts, name, template_of(ours, name, lang))
    return found


def _nearest(sources: list[tuple[str, Any]], name: str, default: Any) -> Inherited:
    for source, own in sources:
        if own.get(name) is not None:
            return Inherited(own[name], source)
    return Inherited(default)


def _above(path: str) -> list[str]:
    """The paths of the queues above one, the nearest first."""
    found = []
    while path := parent_of(path):
        found.append(path)
    return found

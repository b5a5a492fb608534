"""The settings of the tenant, in groups: a page each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from smsdesk.crm.registry import CRMS
from smsdesk.desk.forms.configs import config_fields
from smsdesk.desk.forms.fields import N_, Field
from smsdesk.desk.forms.prose import helps
from smsdesk.desk.forms.queue import inherited_by, queue_setting_fields
from smsdesk.desk.forms.showing import Inherited
from smsdesk.domain.consent_list import SCOPES
from smsdesk.domain.quiet_hours import CATEGORIES, QuietHours
from smsdesk.domain.setup import State
from smsdesk.domain.tenant import TenantSettings


@dataclass(frozen=True, slots=True)
class Group:
    """A page of settings."""

    name: str
    title: str
    about: str
    fields: Sequence[Field] = ()


def _s3() -> list[Field]:
    return [
        Field("endpoint", N_("Address of the store"), empty="omit"),
        Field("bucket", N_("Bucket"), empty="omit"),
        Field("region", N_("Region"), empty="omit"),
        Field("access_key", N_("Access key"), "secret", empty="omit"),
        Field("secret_key", N_("Secret key"), "secret", empty="omit"),
    ]


_CATEGORY_WORDS = {"transactional": N_("Transactional"), "marketing": N_("Marketing"), "urgent": N_("Urgent")}
_SCOPES = {"number": N_("One number of ours"), "brand": N_("All numbers of the brand"), "all": N_("All our numbers")}
_SCOPE_WORDS = [_SCOPES[each] for each in SCOPES]
_HELD = [each for each in CATEGORIES if each != "urgent"]
_QUIET = (
    Field("begin", N_("Held from"), empty="omit"),
    Field("end", N_("Until"), empty="omit"),
    Field("categories", N_("What is held"), "ticks", choices=_HELD, empty="omit", own=True,
          words=[_CATEGORY_WORDS[each] for each in _HELD]),
    Field("state_rules", N_("The stricter hours of states hold too"), "switch", empty="omit"),
    Field("live_minutes", N_("Minutes after a consumer wrote in which agents may answer at any hour"), "integer",
          empty="omit"),
)  # fmt: skip
_OIDC = (
    Field("issuer", N_("Address of the identity provider"), empty="omit"),
    Field("client_id", N_("Client ID"), empty="omit"),
    Field("client_secret", N_("Client secret"), "secret", empty="omit"),
    Field("label", N_("What the button on the sign-in page says"), empty="omit"),
)
_OWN_HELP = {
    "default_queue": N_("By its name or path; nothing: the first one of the menu."),
    "queue_defaults": N_("A queue's own settings go over these."),
    "quiet_hours": N_("Nothing that is held leaves between these times, where the phone is."),
    "media_store": N_("The data folder of this machine, or a bucket that all machines reach."),
    "oidc": N_("People sign in with the account that they have there."),
}
GROUPS = (
    Group("general", N_("General"), N_("The name of the company, its clock, and how programs may ask."), (
        Field("company_name", N_("Name of the company")),
        Field("time_zone", N_("Time zone")),
        Field("public_url", N_("Public address of this server")),
        Field("ticket_url", N_("Address of a ticket")),
        Field("requests_per_second", N_("API requests a second"), "integer"),
    )),
    Group("sending", N_("Sending"), N_("What may be sent, and what becomes of texts that do not arrive."), (
        Field("sms_enabled", N_("Texting is on"), "switch"),
        Field("outbound_sms_enabled", N_("Texts may be started from our side"), "switch"),
        Field("allowed_regions", N_("Countries"), "lines"),
        Field("when_active", N_("A send into an open chat"), "choice", choices=("refuse", "append"),
              words=(N_("Is refused"), N_("Goes into that chat"))),
        Field("outbound_session_minutes", N_("Minutes until an unanswered outbound chat closes"), "integer"),
        Field("text_validity_minutes", N_("Minutes until a text is not sent any more"), "integer"),
        Field("on_doubt", N_("A text in doubt"), "choice", choices=("hold", "resend"),
              words=(N_("Waits for a person"), N_("Is sent again"))),
        Field("doubt_resend_minutes", N_("Minutes until it is sent again"), "integer"),
    )),
    Group("chats", N_("Chats"), N_("Where texts go that name no queue, and how many chats an agent has."), (
        Field("default_queue", N_("Queue for those who choose nothing")),
        Field("unmapped_replies", N_("Texts to a number that leads nowhere"), "choice",
              choices=("supervisors", "silence"), words=(N_("Supervisors get them"), N_("Kept, and nobody answers"))),
        Field("back_word", N_("Word for one menu up")),
        Field("exit_word", N_("Word for out of the menu")),
        Field("chats_per_agent", N_("Chats of an agent at a time"), "integer"),
        Field("agent_statuses", N_("Statuses of your own"), "lines"),
        Field("sessionless_reply", N_("Answer to a reply to a sessionless text"), "area"),
        Field("sessionless_days", N_("Days for which a reply is one to it"), "integer"),
    )),
    Group("queue-defaults", N_("Queue defaults"), N_("What all queues begin with; each may have its own."), (
        Field("queue_defaults", N_("What all queues begin with"), "group"),
    )),
    Group("consent", N_("Consent"), N_("What STOP and HELP do."), (
        Field("help_text", N_("Answer to HELP"), "area"),
        Field("consent_scope", N_("What a STOP covers, from which day on"), "rows", fields=(
            Field("from", N_("From the day")), Field("scope", N_("It covers"), "choice", choices=SCOPES,
                                                      words=_SCOPE_WORDS))),
        Field("carrier_opt_outs_most", N_("Opt-outs of a carrier in an hour that are taken over"), "integer"),
    )),
    Group("quiet-hours", N_("Quiet hours"), N_("When which texts are held until the morning."), (
        Field("default_category", N_("A send that does not say what it is"), "choice", choices=CATEGORIES,
              words=[_CATEGORY_WORDS[each] for each in CATEGORIES]),
        Field("quiet_hours", N_("Quiet hours"), "group", fields=_QUIET, own=True),
    )),
    Group("media", N_("Pictures and files"), N_("Where files are kept, how large they may be, how they are linked."), (
        Field("media_most_mb", N_("Largest file, in megabytes"), "integer"),
        Field("media_link_days", N_("Days that a link is good for"), "integer"),
        Field("mms_fallback", N_("A file that the line cannot carry"), "choice", choices=("link", "refuse"),
              words=(N_("A link to it"), N_("Is refused"))),
        Field("media_hosts_allowed", N_("Private hosts whose files are fetched"), "lines"),
        Field("media_store", N_("Where files are kept"), "group", own=True, offered=N_("The data folder"), fields=[
            Field("s3", N_("A bucket that speaks S3"), "group", empty="omit", fields=_s3())]),
    )),
    Group("crm", N_("CRM"), N_("Where tickets and contacts are.")),
    Group("sign-in", N_("Sign-in"), N_("How people come in, and for how long."), (
        Field("passwords", N_("Passwords may be used"), "switch"),
        Field("second_factor", N_("Second factor"), "choice", choices=("optional", "required"),
              words=(N_("Who wants one"), N_("Everybody"))),
        Field("session_hours", N_("Hours until one signs in again"), "integer"),
        Field("oidc", N_("Sign-in with an identity provider"), "group", fields=_OIDC, own=True,
              offered=N_("None: with a password only")),
    )),
)  # fmt: skip


def group_of(name: str) -> Group | None:
    """The page of that name."""
    return next((each for each in GROUPS if each.name == name), None)


def group_fields(group: Group, crm: str = "") -> list[Field]:
    """The fields of a page of settings, each with its help. Of a CRM they are those of its type."""
    if group.name == "crm":
        return [Field("crm", N_("CRM"), "group", fields=crm_fields(crm))] if crm in CRMS else []
    said = {**helps(TenantSettings)} | {f"quiet_hours.{name}": text for name, text in helps(QuietHours).items()}
    return [_with_help(each, said) for each in group.fields]


def crm_fields(kind: str) -> list[Field]:
    """The settings of a type of CRM."""
    return [Field("type", N_("Type"), fixed=True, empty="text"), *config_fields(CRMS[kind].Config)]


def _with_help(field: Field, said: Any) -> Field:
    inner = list(field.fields)
    if field.name == "queue_defaults":
        inner = [replace(each, offered="") for each in queue_setting_fields()]
    if field.name == "quiet_hours":
        inner = [replace(each, help=said.get(f"quiet_hours.{each.name}", "")) for each in inner]
    return replace(field, help=_OWN_HELP.get(field.name) or said.get(field.name, ""), fields=inner)


def setting_defaults(state: State) -> dict[str, Inherited]:
    """What each setting is without a value of its own."""
    ours, none = TenantSettings(), State(state.subdomain)
    found = {each.name: Inherited(getattr(ours, each.name, None)) for group in GROUPS for each in group.fields}
    found |= inherited_by(none, "", "queue_defaults.")
    quiet = QuietHours()
    found |= {f"quiet_hours.{each.name}": Inherited(getattr(quiet, each.name)) for each in _QUIET}
    found["media_store.s3.region"] = Inherited("us-east-1")
    for name in ("queue_defaults", "quiet_hours", "default_queue"):
        found.pop(name)
    return found

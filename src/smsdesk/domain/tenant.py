"""What a tenant has set up, as one immutable picture: the requests of a moment are all judged by the same one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smsdesk.domain.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """The tenant's switches. Each has a default that works; the docstring under each is its help text."""

    sms_enabled: bool = True
    """Whether the SMS channel is on at all."""
    outbound_sms_enabled: bool = True
    """Whether texts may be started from our side."""
    allowed_regions: tuple[str, ...] = ("US",)
    """The countries whose numbers may be texted, as two-letter codes. US includes its territories."""
    when_active: str = "refuse"
    """What a send to a consumer in an open chat does: `refuse` it, or `append` the text to that chat."""
    outbound_session_minutes: int = 1440
    """Minutes after which an outbound chat that nobody answered closes by itself."""
    text_validity_minutes: int = 1440
    """Minutes after which a text that has not left is not sent any more."""
    on_doubt: str = "hold"
    """What becomes of a text of which nobody knows whether it left, once its receipt has not come: `hold` it for a
    person, or `resend` it, which may double it."""
    doubt_resend_minutes: int = 15
    """How many minutes its receipt is waited for before a text in doubt is sent again, where `on_doubt` is `resend`."""
    ticket_url: str | None = None
    """Where a ticket is read; `{ticket_id}` stands for its id."""
    company_name: str = ""
    """The name that the confirmations of STOP, START and HELP give; the subdomain where empty."""
    help_text: str = ""
    """What HELP is answered with; a sentence with the company's name and how to stop where empty."""
    requests_per_second: int = 0
    """How many API requests a second each credential may make; 0 sets no limit, 10 is the imitated product's."""
    time_zone: str = "UTC"
    """The zone of the desk, as an IANA name: of opening hours that name none, and of transcripts."""
    queue_defaults: Mapping[str, Any] = field(default_factory=dict)
    """What all queues begin with, as `domain/queue_settings.py` names it; a queue's own settings go over it."""
    default_queue: int | None = None
    """The id of the queue for those who choose nothing that the menu has; None is the first one of the menu. A file
    names it by its path."""
    unmapped_replies: str = "supervisors"
    """What becomes of texts to a number that leads nowhere: the `supervisors` get them, or `silence`: they are kept,
    and nobody answers."""
    back_word: str = "BACK"
    """What leads a consumer one menu up."""
    exit_word: str = "EXIT"
    """What leads him out of the menu, and out of the queue."""
    chats_per_agent: int = 3
    """How many chats an agent has at a time, where he has no number of his own."""
    agent_statuses: tuple[str, ...] = ()
    """Statuses in which agents get no offers, beside `unavailable`, `break`, `meal` and `special_task`."""
    sessionless_reply: str = ""
    """What a reply to a sessionless text is answered with; where empty, it goes to the number's menu like any other."""
    sessionless_days: int = 7
    """How many days after a sessionless text a reply is one to it."""
    consent_scope: tuple[Mapping[str, str], ...] = ()
    """What a STOP covers, from which day on; where empty, the law's own calendar."""
    carrier_opt_outs_most: int = 50
    """How many opt-outs of one carrier are taken over within an hour before a person looks at the rest."""
    public_url: str = ""
    """Where this server is reached from outside, such as `https://sms.example.com`: what links to files begin with."""
    media_most_mb: int = 5
    """The largest file that is kept, in megabytes."""
    media_hosts_allowed: tuple[str, ...] = ()
    """Hosts, or `host:port`, whose files are fetched although their address is a private one."""
    media_store: Mapping[str, Any] | None = None
    """Where files are kept: `{s3: {endpoint, bucket, region, access_key, secret_key}}`; the data folder where null."""
    media_link_days: int = 7
    """How many days a link to a file is good for."""
    mms_fallback: str = "link"
    """What becomes of a file that the line cannot carry: a `link` to it at the end of the text, or `refuse`."""
    default_category: str = "transactional"
    """What a send without a `category` is: `transactional`, `marketing` or `urgent`."""
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    """When which texts are held: `begin`, `end`, `categories`, `state_rules`, `live_minutes`."""
    passwords: bool = True
    """Whether one signs in at the desk with a password; where not, `oidc` is the way in."""
    oidc: Mapping[str, Any] | None = None
    """An identity provider that signs people in: `{issuer, client_id, client_secret, label}`."""
    second_factor: str = "optional"
    """Whether who signs in with a password needs a second factor: `optional` or `required`."""
    session_hours: int = 168
    """Hours after which one has to sign in again, however busy; after 12 hours without use in any case."""
    crm: Mapping[str, Any] | None = None
    """The CRM that tickets and contacts are in, as its Config names its settings."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A person at the desk."""

    agent_id: int
    email: str
    agent_number: int | None = None
    first_name: str = ""
    last_name: str = ""
    avatar_url: str | None = None
    disabled: bool = False
    role: str = "agent"
    """`agent`, `supervisor` or `administrator`."""
    max_chats: int | None = None
    """How many chats he has at a time; None is what the tenant's settings say."""
    skills: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number of the tenant."""

    number: str
    carrier_id: int
    queue_id: int | None = None
    agent_id: int | None = None
    """The one agent whose number it is; it has no queue then."""
    brand: str | None = None
    """What it is registered under: a consumer's consent may hold for all numbers of one brand."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A named API token, known by the SHA-256 of its secret."""

    credential_id: int
    name: str
    token_sha256: bytes
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Tenant:
    """All of a tenant's set-up that a request is judged by."""

    tenant_id: int
    subdomain: str
    settings: TenantSettings = field(default_factory=TenantSettings)
    numbers: Mapping[str, Number] = field(default_factory=dict)
    agents: Mapping[int, Agent] = field(default_factory=dict)
    agents_by_email: Mapping[str, Agent] = field(default_factory=dict)
    """By lower-case e-mail address."""
    credentials: Mapping[bytes, Credential] = field(default_factory=dict)
    """By the SHA-256 of the token."""

"""What a tenant has set up, as one immutable picture: the requests of a moment are all judged by the same one."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number of the tenant."""

    number: str
    carrier_id: int
    queue_id: int | None = None


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

"""Who looks at a page, and how he has the desk."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smsdesk.desk.words import Words
from smsdesk.domain.rights import Right, has_right
from smsdesk.domain.tenant import Agent, Tenant
from smsdesk.store.sessions import Session


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in. `agent` is as he stands at this request."""

    tenant: Tenant
    agent: Agent
    session: Session
    words: Words
    zone: ZoneInfo
    """The one that times are shown in."""
    cookie: str
    """What his session is known by; for the cookie to be renewed, never for a page."""

    @property
    def tenant_id(self) -> int:
        return self.tenant.tenant_id

    @property
    def agent_id(self) -> int:
        return self.agent.agent_id

    def may(self, right: Right) -> bool:
        """Whether his role has the right: for what a page shows. The actions ask for themselves."""
        return has_right(self.agent.role, right)

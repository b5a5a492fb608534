"""What requests about consent have in common: a phone number, and who says so."""

from smsdesk.api.services import Caller
from smsdesk.domain.phone import Number, NumberProblem, read_number
from smsdesk.domain.tenant import Tenant
from smsdesk.errors import Problem


def read_phone(raw: str, tenant: Tenant, name: str = "number") -> Number:
    """A number as people write it; raises Problem, with the name of the parameter, where it can be none."""
    number = read_number(raw, frozenset(tenant.settings.allowed_regions))
    if isinstance(number, NumberProblem):
        raise Problem("parameter_invalid", f"{name}: no phone number that may be texted")
    return number


def who_says(agent_id: int | None, caller: Caller) -> tuple[str, str]:
    """The source and the name of who says so: an agent, or the program with its credential. Raises Problem for an agent
    who is not there."""
    if agent_id is None:
        return "api", caller.credential.name
    agent = caller.tenant.agents.get(agent_id)
    if agent is None or agent.disabled:
        raise Problem("agent_unknown")
    return "agent", f"agent {agent_id}"

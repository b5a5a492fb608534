"""A person says how he wants the desk."""

from smsdesk.steps.begin import Begin
from smsdesk.steps.rights import require_right
from smsdesk.store.profiles import Preferences, save_preferences


async def change_preferences(begin: Begin, tenant_id: int, agent_id: int, wanted: Preferences) -> None:
    """Keeps language, time zone, colours and sound of a person. Raises Problem `agent_unknown`."""
    async with begin(tenant_id) as work:
        await require_right(work.conn, tenant_id, agent_id, "work")
        await save_preferences(work.conn, tenant_id, agent_id, wanted)

"""The set-up: what there is, what is missing for a first text, and the way to each of its forms."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from smsdesk.actions.invite_agent import invite_agent
from smsdesk.desk.forms.kinds import KINDS
from smsdesk.desk.forms.reading import first
from smsdesk.desk.pages import setup_file, setup_forms, setup_plan, setup_settings
from smsdesk.desk.pages.setup_nav import ADMIN, sections
from smsdesk.desk.pages.setup_plan import ADMINISTER, read_setup, read_typed
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import Words
from smsdesk.errors import Problem
from smsdesk.setup.missing import Missing, missing
from smsdesk.store.credentials import list_credentials


@get(ADMIN, opt=ADMINISTER)
async def overview(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], done: FromQuery[int] = 0
) -> Response[Any]:
    """What is set up, and what comes next."""
    state = await read_setup(desk, visitor)
    async with desk.db.connection() as conn:
        tokens = await list_credentials(conn, visitor.tenant_id)
    lacks = missing(state, desk.environ, sum(each.disabled_at is None for each in tokens))
    counts = [(each, len(state.of(each.kind))) for each in KINDS.values()]
    steps = [(each, lack_in_words(each, visitor.words)) for each in lacks]
    return page(
        visitor, "setup.html", here=ADMIN, at=ADMIN, sections=sections(visitor), counts=counts, steps=steps, done=done,
        subdomain=state.subdomain,
    )  # fmt: skip


@post(f"{ADMIN}/agents/invite", status_code=200, opt=ADMINISTER)
async def invite(
    request: Request[Any, Any, Any], desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]
) -> Response[Any]:
    """A one-time link with which an agent chooses a password: shown once."""
    email = first(await read_typed(request), "name").lower()
    agent = visitor.tenant.agents_by_email.get(email)
    if agent is None:
        raise Problem("not_found")
    path = await invite_agent(desk.begin, visitor.tenant, visitor.agent_id, agent.agent_id, desk.secret)
    origin = visitor.tenant.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return page(
        visitor, "setup_invite.html", here=ADMIN, at=f"{ADMIN}/agents", sections=sections(visitor), agent=agent,
        link=f"{origin.rstrip('/')}{path}",
    )  # fmt: skip


def lack_in_words(lack: Missing, words: Words) -> str:
    """What is missing, and what to do."""
    names = ", ".join(lack.names[:5]) + (" …" if len(lack.names) > 5 else "")
    say = words.say
    return {
        "no_carrier": say("There is no carrier: add the line that texts leave by. The lab needs no account."),
        "secret_missing": f"{names}: {lack.says}",
        "no_number": say("There is no number to text from: add one."),
        "number_leads_nowhere": say("Replies to {names} reach no queue: give it one.", names=names),
        "no_agent": say("There is nobody to answer: add an agent."),
        "queue_without_agents": say("Nobody works in {names}: give agents these queues.", names=names),
        "no_company_name": say("The company has no name: HELP and STOP are answered with the workspace's name."),
        "no_prices": say("{names}: no price list, so what texts cost is not known.", names=names),
        "no_fallbacks": say("Texts of {names} wait while their carrier is down: name fallbacks.", names=names),
        "no_token": say("There is no API token: programs cannot send yet."),
    }[lack.lack]


PAGES = [
    overview, invite, *setup_plan.PAGES, *setup_file.PAGES, *setup_forms.PAGES, *setup_settings.PAGES,
]  # fmt: skip

"""A person's own page: how he has the desk, his password, where he is signed in."""

from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from smsdesk.actions.change_password import change_password
from smsdesk.actions.change_preferences import change_preferences
from smsdesk.actions.end_sessions import end_other_sessions
from smsdesk.desk.browsers import browser_name
from smsdesk.desk.pages.sign_in import to
from smsdesk.desk.problems import own_status, sentence
from smsdesk.desk.render import page
from smsdesk.desk.services import Desk
from smsdesk.desk.visitor import Visitor
from smsdesk.desk.words import languages
from smsdesk.domain.sign_in import LONGEST, SHORTEST, TooManyTries
from smsdesk.errors import Problem
from smsdesk.store.profiles import Preferences
from smsdesk.store.sessions import list_sessions
from smsdesk.store.sign_in import find_account_of

OWN = {"right": "work"}
THEMES = ("light", "dark")


class Wanted(msgspec.Struct):
    """The form of the preferences."""

    lang: str = ""
    time_zone: str = ""
    theme: str = ""
    sound: str = ""


class Passwords(msgspec.Struct):
    """The form of the password."""

    old: str = ""
    new: str = ""
    again: str = ""


@get("/desk/profile", opt=OWN)
async def show(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], done: FromQuery[str] = ""
) -> Response[Any]:
    """The page; `done` is what was just done here."""
    say = visitor.words.say
    told = {
        "saved": say("Saved."),
        "password": say("Your password is changed. Your other sessions have ended."),
        "ended": say("Ended."),
        "factor-off": say("Your second factor is off."),
    }
    return await _page(desk, visitor, done=told.get(done, ""))


@post("/desk/profile", status_code=200, opt=OWN)
async def save(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    data: Annotated[Wanted, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Keeps how he wants the desk; what there is no such thing of is as his browser has it."""
    wanted = Preferences(
        data.lang if data.lang in languages() else None,
        data.time_zone if data.time_zone in available_timezones() else None,
        data.theme if data.theme in THEMES else None,
        data.sound == "on",
    )
    await change_preferences(desk.begin, visitor.tenant_id, visitor.agent_id, wanted)
    return to("/desk/profile?done=saved")


@post("/desk/profile/password", status_code=200, opt=OWN)
async def change(
    desk: NamedDependency[Desk],
    visitor: NamedDependency[Visitor],
    data: Annotated[Passwords, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Puts a new password in the place of the old one."""
    if data.new != data.again:
        return await _page(desk, visitor, error=visitor.words.say("The two new passwords are not the same."))
    try:
        await change_password(desk.begin, visitor.tenant_id, visitor.session, data.old, data.new, desk.secret)
    except Problem as problem:
        wrong = problem.reason == "sign_in_refused"
        error = visitor.words.say("The old password is wrong.") if wrong else sentence(problem, visitor.words)
        answer = await _page(desk, visitor, own_status(problem), error=error)
        if isinstance(problem, TooManyTries):
            answer.headers["retry-after"] = str(problem.seconds)
        return answer
    return to("/desk/profile?done=password")


@post("/desk/profile/sessions/{session_hash:str}/end", status_code=200, opt=OWN)
async def end_one(
    desk: NamedDependency[Desk], visitor: NamedDependency[Visitor], session_hash: FromPath[str]
) -> Response[Any]:
    """Signs him out in one other browser."""
    try:
        hashed = bytes.fromhex(session_hash)
    except ValueError:
        raise Problem("not_found") from None
    await end_other_sessions(desk.begin, visitor.tenant_id, visitor.session, hashed)
    return to("/desk/profile?done=ended")


@post("/desk/profile/sessions/end-others", status_code=200, opt=OWN)
async def end_others(desk: NamedDependency[Desk], visitor: NamedDependency[Visitor]) -> Response[Any]:
    """Signs him out everywhere else."""
    await end_other_sessions(desk.begin, visitor.tenant_id, visitor.session)
    return to("/desk/profile?done=ended")


async def _page(desk: Desk, visitor: Visitor, status: int = 200, *, done: str = "", error: str = "") -> Response[Any]:
    async with desk.db.connection() as conn:
        sessions = await list_sessions(conn, visitor.tenant_id, visitor.agent_id, desk.clock())
        account = await find_account_of(conn, visitor.tenant_id, visitor.agent_id)
    status = 422 if error and status == 200 else status
    return page(
        visitor, "profile.html", status, sessions=sessions, account=account, done=done, error=error,
        zones=sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")),
        browser_name=browser_name, shortest=SHORTEST, longest=LONGEST,
    )  # fmt: skip


PAGES = [show, save, change, end_one, end_others]

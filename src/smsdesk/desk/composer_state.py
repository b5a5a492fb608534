"""Whether somebody may write in a chat now, and what he is told before he types."""

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from smsdesk.desk.state_words import Reader
from smsdesk.domain.quiet_hours import QuietHours, earliest_answer
from smsdesk.domain.tenant import Tenant
from smsdesk.domain.zones import place_of
from smsdesk.store.agents import AgentRow
from smsdesk.store.chat_rows import ChatRow
from smsdesk.store.participants import Present
from smsdesk.store.texting import Texting


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence above the composer. `tone` is `good`, `wait`, `warn` or `bad`."""

    tone: str
    said: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody before a chat."""

    agent: AgentRow
    chat: ChatRow
    present: Present | None
    """His part in it beside its agent."""
    owner: str
    """What its agent is called; empty where it has none."""
    texting: Texting


def closed(standing: Standing, tenant: Tenant, reader: Reader) -> str:
    """Why he cannot write to the consumer here; empty where he can."""
    chat, texting, say = standing.chat, standing.texting, reader.words.say
    if chat.ends_at is not None:
        return say("This chat has ended.")
    if texting.opt_out is not None:
        out, at = texting.opt_out, reader.words.moment(texting.opt_out.at, reader.zone)
        by = {
            "text": say("Opted out by text on {time}: nothing may be sent.", time=at),
            "agent": say("An agent noted on {time} that they want no texts: nothing may be sent.", time=at),
            "carrier": say("The carrier told us on {time} that they opted out: nothing may be sent.", time=at),
        }
        return by.get(out.source) or say("Opted out on {time}: nothing may be sent.", time=at)
    if texting.blocked:
        return say("This number is blocked: nothing is sent to it.")
    if chat.outbound_number not in tenant.numbers:
        return say("The number that this chat came to is not ours any more.")
    if chat.agent_id not in (None, standing.agent.agent_id) and not (standing.present and standing.present.may_answer):
        if standing.agent.supervises:
            return say("{name} has this chat. Join it to write beside, or take it over.", name=standing.owner)
        if may_note(standing):
            return say("{name} has this chat. You can write a note.", name=standing.owner)
        return say("{name} has this chat.", name=standing.owner)
    return ""


def may_note(standing: Standing) -> bool:
    """Whether he may write a note: as `actions.add_note` has it."""
    chat, agent = standing.chat, standing.agent
    return chat.ends_at is None and (
        chat.agent_id == agent.agent_id or standing.present is not None or agent.supervises
    )


def told(standing: Standing, hours: QuietHours, reader: Reader) -> list[Told]:
    """What he ought to know before he types: whose chat it is, and whether his text leaves at once."""
    said = [*_owner(standing, reader), *_clock(standing, hours, reader)]
    if standing.chat.status == "dismissed":
        said.append(Told("wait", reader.words.say("This chat is set aside. It comes back when they write.")))
    return said


def _owner(standing: Standing, reader: Reader) -> list[Told]:
    chat, say = standing.chat, reader.words.say
    if chat.agent_id is None:
        return [Told("warn", say("Nobody has this chat: if you answer, it is yours."))]
    if chat.agent_id != standing.agent.agent_id:
        return [Told("warn", say("{name} has this chat: you write beside.", name=standing.owner))]
    return []


def _clock(standing: Standing, hours: QuietHours, reader: Reader) -> list[Told]:
    chat, words = standing.chat, reader.words
    place = place_of(chat.end_user_number, standing.texting.time_zone)
    verdict = earliest_answer(reader.now, place, hours, chat.end_user_said_at)
    times = {words.clock(reader.now, ZoneInfo(zone)): None for zone in place.zones[:8]}
    there = "–".join([*times][:1] + [*times][-1:] if len(times) > 1 else [*times])
    if not there:
        return []
    if verdict is None:
        return [Told("warn", words.say("Quiet hours leave no minute for this number: a text would wait."))]
    if not verdict.quiet:
        return [Told("good", words.say("May be texted now. It is {time} there.", time=there))]
    if verdict.held:
        until = words.brief(verdict.at, reader.zone, reader.now)
        return [Told("wait", words.say("It is {time} there: quiet hours. A text waits until {until}.",
                                       time=there, until=until))]  # fmt: skip
    live = chat.end_user_said_at is not None and reader.now < chat.end_user_said_at + timedelta(
        minutes=hours.live_minutes
    )
    if live:
        return [Told("good", words.say("It is {time} there: late, but they have just written. An answer leaves now.",
                                       time=there))]  # fmt: skip
    return [Told("wait", words.say("It is {time} there: late. An answer leaves all the same; think of their sleep.",
                                   time=there))]  # fmt: skip

"""What somebody at the desk can do with a chat now: what a button is shown for. The actions judge again."""

from dataclasses import dataclass

from smsdesk.domain.chat_life import OPEN, WAITING, WITH_AN_AGENT, after


@dataclass(frozen=True, slots=True)
class Standing:
    """A chat, and how somebody stands to it."""

    status: str
    direction: str
    agent_id: int | None
    both_spoke: bool
    """Whether consumer and agent have written, and the consumer again where the chat was set aside and came back."""
    me: int
    supervises: bool = False
    works_in_queue: bool = False
    full: bool = False
    part: str | None = None
    """His part in a chat that is not his: `waiting`, `connected` or `monitoring`."""
    as_supervisor: bool = False
    """Whether he has that part as a supervisor, and not by a transfer."""
    transfer_kind: str | None = None
    """Of the open transfer, where there is one."""
    transfer_from: int | None = None
    transfer_to: int | None = None
    transfer_joined: bool = False

    @property
    def mine(self) -> bool:
        return self.agent_id == self.me

    @property
    def in_transfer(self) -> bool:
        return self.transfer_kind is not None


def choices(chat: Standing) -> frozenset[str]:
    """The names of what he can do: `take`, `dismiss`, `resume`, `transfer`, `warm` (such a transfer), `end`, `monitor`,
    `join`, `leave`, `take_over`, `assign`; and of an open transfer `cancel`, `complete`, `accept`, `decline`."""
    if chat.status not in OPEN:
        return frozenset()
    able = {
        "take": _may_take(chat),
        "dismiss": _may_dismiss(chat),
        "resume": chat.status == "dismissed" and (chat.mine or chat.works_in_queue or chat.supervises),
        "end": chat.mine or chat.supervises,
        "assign": chat.supervises and after(chat.status, "assign") is not None,
        **_giving(chat),
        **_looking_in(chat),
        **_deciding(chat),
    }
    return frozenset(name for name, possible in able.items() if possible)


def _may_take(chat: Standing) -> bool:
    if chat.status not in WAITING:
        return False
    if chat.supervises:
        return True
    if chat.in_transfer and chat.transfer_to is not None:
        return chat.transfer_to == chat.me
    return chat.works_in_queue and not chat.full


def _may_dismiss(chat: Standing) -> bool:
    its_time = chat.direction == "inbound" and chat.status in WITH_AN_AGENT and chat.both_spoke
    return its_time and not chat.in_transfer and (chat.mine or chat.supervises)


def _giving(chat: Standing) -> dict[str, bool]:
    may = (chat.mine or chat.supervises) and not chat.in_transfer and after(chat.status, "transfer") is not None
    return {"transfer": may, "warm": may and chat.status in WITH_AN_AGENT}


def _looking_in(chat: Standing) -> dict[str, bool]:
    may = chat.supervises and not chat.mine and (chat.part is None or chat.as_supervisor)
    return {
        "monitor": may and chat.part != "monitoring",
        "join": may and chat.part != "connected",
        "leave": chat.part is not None and chat.as_supervisor,
        "take_over": chat.supervises and not chat.mine and chat.status in WITH_AN_AGENT,
    }


def _deciding(chat: Standing) -> dict[str, bool]:
    if not chat.in_transfer:
        return {}
    to_me = chat.transfer_to == chat.me
    return {
        "cancel": chat.transfer_from == chat.me or chat.supervises,
        "complete": chat.transfer_joined and (chat.mine or to_me or chat.supervises),
        "accept": to_me and not chat.transfer_joined,
        "decline": to_me,
    }

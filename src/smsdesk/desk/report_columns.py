"""The columns of a report: what each is called, how it is counted, where its chats are found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from smsdesk.desk.figures import share
from smsdesk.desk.words import Words
from smsdesk.store.reports import Figures

View = Literal["chats", "times", "endings", "texts"]
VIEWS: tuple[View, ...] = ("chats", "times", "endings", "texts")
Kind = Literal["count", "duration", "share", "rating", "money"]
Value = float | Mapping[str, Decimal] | None


@dataclass(frozen=True, slots=True)
class Column:
    """A figure. `search` are the fields of the search that show its chats; None where there is none that does."""

    name: str
    view: View
    kind: Kind
    heading: str
    meaning: str
    value: Callable[[Figures], Value]
    search: Mapping[str, str] | None = None

    def order(self, figures: Figures) -> float:
        """What lines are sorted by; those without a figure are the least."""
        value = self.value(figures)
        if isinstance(value, Mapping):
            return float(sum(value.values()))
        return -1.0 if value is None else float(value)


@dataclass(frozen=True, slots=True)
class _Table:
    view: View
    columns: list[Column] = field(default_factory=list)

    def add(
        self, name: str, kind: Kind, said: tuple[str, str], value: Callable[[Figures], Value],
        search: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.columns.append(Column(name, self.view, kind, said[0], said[1], value, search))


def columns(words: Words) -> list[Column]:
    """All columns, in the order of the page and of the file."""
    return [*_chats(words), *_times(words), *_endings(words), *_texts(words)]


def _chats(words: Words) -> list[Column]:
    say, table = words.say, _Table("chats")
    table.add("opened", "count", (say("Chats"), say("Chats that began in this time.")), lambda f: f.chats.opened, {})
    table.add("inbound", "count", (say("Incoming"), say("Those of them that the consumer began.")),
              lambda f: f.chats.inbound, {"direction": "inbound"})  # fmt: skip
    table.add("outbound", "count", (say("Outgoing"), say("Those of them that we began.")),
              lambda f: f.chats.outbound, {"direction": "outbound"})  # fmt: skip
    table.add("answered", "count", (say("Had an agent"), say("Those of them that an agent had at some time.")),
              lambda f: f.chats.answered)  # fmt: skip
    table.add("still_open", "count", (say("Still open"), say("Those of them that have not ended yet.")),
              lambda f: f.chats.still_open, {"status": "open"})  # fmt: skip
    table.add("transfers", "count", (say("Transfers"), say(
                   "How often one of them was given on to another agent or queue.")),
              lambda f: f.chats.transfers)  # fmt: skip
    table.add("dismissed", "count", (say("Were set aside"), say(
                   "Those that were set aside at some time, for the consumer was silent.")),
              lambda f: f.chats.dismissed)  # fmt: skip
    table.add("rating", "rating", (say("Rating"), say("What consumers rated them on the average, from 1 to 5.")),
              lambda f: f.chats.rating, {"about": "rated"})  # fmt: skip
    table.add("rated", "count", (say("Rated"), say("How many of them were rated.")), lambda f: f.chats.rated,
              {"about": "rated"})  # fmt: skip
    table.add("opt_outs", "count", (say("Opt-outs"), say(
                   "Numbers that asked in this time for no more texts; counted by day and in all, not by "
                   "chat.")),
              lambda f: f.opt_outs)  # fmt: skip
    return table.columns


def _times(words: Words) -> list[Column]:
    say, table = words.say, _Table("times")
    table.add("waited", "count", (say("Had an agent"), say(
                   "Chats that an agent had at some time: the times are of these.")),
              lambda f: f.chats.answered)  # fmt: skip
    table.add("wait", "duration", (say("Wait, median"), say(
                   "From when it began to wait in a queue until an agent had it for the first time: half "
                   "of them waited no longer.")),
              lambda f: f.chats.wait)  # fmt: skip
    table.add("wait_most", "duration", (say("Wait, 90 %"), say("The same: nine of ten waited no longer.")),
              lambda f: f.chats.wait_most)  # fmt: skip
    table.add("first_answer", "duration", (say("First answer, median"), say(
                   "From the consumer's first words to the first text of an agent after them: half of "
                   "them took no longer.")),
              lambda f: f.chats.first_answer)  # fmt: skip
    table.add("first_answer_most", "duration", (say("First answer, 90 %"), say(
                   "The same: nine of ten took no longer.")),
              lambda f: f.chats.first_answer_most)  # fmt: skip
    table.add("length", "duration", (say("Length, median"), say(
                   "From when an agent first had it to its end: half of them took no longer.")),
              lambda f: f.chats.length)  # fmt: skip
    return table.columns


def _endings(words: Words) -> list[Column]:
    say, table = words.say, _Table("endings")
    table.add("ended", "count", (say("Ended"), say("Chats that began in this time and have ended.")),
              lambda f: f.chats.opened - f.chats.still_open, {"status": "ended"})  # fmt: skip
    table.add("by_agent", "count", (say("By an agent"), say("Those that an agent or a supervisor ended.")),
              lambda f: f.chats.by_agent)  # fmt: skip
    table.add("by_consumer", "count", (say("By the consumer"), say("Those that the consumer ended: EXIT, or STOP.")),
              lambda f: f.chats.by_consumer)  # fmt: skip
    table.add("by_system", "count", (say("By itself"), say(
                   "Those that ended by themselves after an agent, or a queue, had them: silence, a wait "
                   "that was too long, a closed queue.")),
              lambda f: f.chats.by_system)  # fmt: skip
    table.add("unanswered", "count", (say("Never answered"), say("Those of ours that the consumer never answered.")),
              lambda f: f.chats.unanswered, {"about": "unanswered"})  # fmt: skip
    table.add("abandoned", "count", (say("Abandoned"), say("Those that the consumer left before an agent had them.")),
              lambda f: f.chats.abandoned, {"about": "abandoned"})  # fmt: skip
    return table.columns


def _texts(words: Words) -> list[Column]:
    say, table = words.say, _Table("texts")
    table.add(
        "texts", "count", (say("Texts"), say("Texts of ours that were written in this time.")), lambda f: f.texts.texts
    )
    table.add("delivered", "count", (say("Delivered"), say("Those that reached the phone, as the carrier says.")),
              lambda f: f.texts.delivered)  # fmt: skip
    table.add("delivered_share", "share", (say("Share"), say("Delivered ones of all.")),
              lambda f: share(f.texts.delivered, f.texts.texts))  # fmt: skip
    table.add("failed", "count", (say("Failed"), say("Those that did not reach the phone, or were never sent.")),
              lambda f: f.texts.failed, {"about": "failed"})  # fmt: skip
    table.add("doubtful", "count", (say("Doubtful"), say("Those of which nobody knows whether they left.")),
              lambda f: f.texts.doubtful, {"about": "doubtful"})  # fmt: skip
    table.add(
        "parts", "count", (say("Parts"), say("What they were cut into: what carriers count.")), lambda f: f.texts.parts
    )
    table.add("cost", "money", (say("Cost"), say("What those that left cost by the rates at that time.")),
              lambda f: f.texts.costs)  # fmt: skip
    return table.columns

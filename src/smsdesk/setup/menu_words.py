"""The words for the ways through a menu, held against the names and keywords of the queues that it leads to."""

from collections.abc import Iterator, Mapping

from smsdesk.domain.menu import is_word
from smsdesk.domain.setup import Key, State
from smsdesk.domain.tenant import TenantSettings
from smsdesk.setup.faults import Fault
from smsdesk.setup.queues import reserved
from smsdesk.setup.wanted import Item


def clashes(after: State, items: Mapping[Key, Item]) -> Iterator[Fault]:
    """A queue that the word for back or exit would lead to as well, said where the file names the one or the other."""
    settings, item = after.things.get(("settings", ""), {}), items.get(("settings", ""))
    words = {name: settings.get(name) or getattr(TenantSettings(), name) for name in ("back_word", "exit_word")}
    if item and is_word(*words.values()):
        named = "exit_word" if "exit_word" in item.fields else "back_word"
        yield Fault(item.where(named), f'"{words[named]}" would be the word for back and for exit: use another')
    for path, fields in after.of("queue").items():
        for field, given in (("name", path.rpartition("/")[2]), ("keyword", fields["keyword"])):
            for setting, word in words.items():
                if given is None or not is_word(given, word):
                    continue
                queue = items.get(("queue", path))
                if queue and field in queue.places:
                    yield Fault(queue.where(field), reserved(given))
                elif item and setting in item.fields:
                    yield Fault(item.where(setting), f'"{word}" is the {field} of the queue {path}: use another')

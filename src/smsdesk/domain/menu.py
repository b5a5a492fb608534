"""A menu by text: the tree of queues, what an answer to a menu means, and where it leads.

Tree            the queues of a tenant
next_place      one text of a consumer who has no agent yet: a menu, a queue, or the way out
`- read_choice  which line of a menu a text means, if it means one
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_TRIES = 3
"""How often a menu is shown again to who chose nothing that it has; then a person reads what he wrote."""

_NUMBERS = {
    word: number
    for number, words in enumerate(
        ("one uno una", "two dos", "three tres", "four cuatro", "five cinco", "six seis", "seven siete", "eight ocho",
         "nine nueve", "ten diez"), 1)
    for word in words.split()
}  # fmt: skip
_BESIDE = frozenset(("option", "opcion", "number", "numero", "press", "please", "por", "favor"))
"""Words beside a number that change nothing about it."""
_KEYCAP_TEN = "\N{KEYCAP TEN}"
_BETWEEN_WORDS = re.compile(r"[\W_]+")


class Entry(NamedTuple):
    """A queue, as a menu has it. A tuple, for all of a tenant's are read for a text in a menu."""

    queue_id: int
    parent_id: int | None
    name: str
    keyword: str | None = None
    hidden: bool = False
    deleted: bool = False


class Tree:
    """The queues of a tenant, each below its parent, in the order in which they are given."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = {entry.queue_id: entry for entry in entries}
        self._children: defaultdict[int | None, list[Entry]] = defaultdict(list)
        for entry in self._entries.values():
            if not entry.deleted:
                self._children[entry.parent_id].append(entry)

    def lines(self, queue_id: int) -> list[Entry]:
        """The menu of a queue; empty for one that has none, which is one that chats wait in."""
        return [entry for entry in self._children[queue_id] if not entry.hidden]

    def living(self, queue_id: int | None) -> int | None:
        """The queue, or where it was deleted the first above it that was not."""
        entry = self._entries.get(queue_id) if queue_id is not None else None
        while entry is not None and entry.deleted:
            entry = self._entries.get(entry.parent_id) if entry.parent_id is not None else None
        return entry.queue_id if entry else None

    def above(self, queue_id: int, root_id: int) -> int:
        """The queue above, as far as the root; a queue that is not below the root leads back to it."""
        parent_id = self._entries[queue_id].parent_id
        return parent_id if parent_id is not None and self.is_within(parent_id, root_id) else root_id

    def is_within(self, queue_id: int, root_id: int) -> bool:
        """Whether the queue is the root, or below it."""
        at: int | None = queue_id
        while at is not None and at != root_id:
            at = self._entries[at].parent_id
        return at == root_id

    def find_keyword(self, body: str) -> int | None:
        """The queue, hidden or not, whose keyword the whole text is."""
        said = normal(body)
        alive = (entry for entry in self._entries.values() if entry.keyword and not entry.deleted)
        return next((entry.queue_id for entry in alive if said and normal(entry.keyword or "") == said), None)

    def first_leaf(self, queue_id: int) -> int:
        """The queue that chats wait in to which the first lines lead from here."""
        while lines := self.lines(queue_id):
            queue_id = lines[0].queue_id
        return queue_id


@dataclass(frozen=True, slots=True)
class MenuWords:
    """The tenant's words for the ways through a menu."""

    back: str = "BACK"
    exit: str = "EXIT"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a consumer stands in a menu."""

    root_id: int
    """The queue of the number that he writes to."""
    menu_id: int | None = None
    """The queue whose menu he was shown last; None where he was shown none."""
    tries: int = 0
    """How often he chose nothing that it has."""
    words: MenuWords = field(default_factory=MenuWords)
    default_id: int | None = None
    """The queue for who cannot be understood; None, or one that is not below the root, is the first line's."""


@dataclass(frozen=True, slots=True)
class Show:
    """He gets the menu of this queue."""

    queue_id: int
    tries: int = 0
    """Above 0, he is told as well that he was not understood."""


@dataclass(frozen=True, slots=True)
class Enter:
    """He waits in this queue from now on."""

    queue_id: int


@dataclass(frozen=True, slots=True)
class Leave:
    """He ends the chat."""


def next_place(tree: Tree, place: Place, body: str) -> Show | Enter | Leave:
    """Where a text leads. Before a menu was shown only the word for the way out and keywords mean anything: all else is
    the beginning of a conversation."""
    if is_word(body, place.words.exit):
        return Leave()
    keyword = tree.find_keyword(body)
    menu_id = tree.living(place.menu_id)
    if keyword is not None:
        return _open(tree, keyword)
    if place.menu_id is None or menu_id is None:
        return _open(tree, place.root_id)
    if menu_id != place.menu_id or not tree.lines(menu_id):
        # The lines that he answered are gone.
        return _open(tree, menu_id)
    if is_word(body, place.words.back):
        return Show(tree.above(menu_id, place.root_id))
    lines = tree.lines(menu_id)
    choice = read_choice(body, [line.name for line in lines])
    if choice is not None:
        return _open(tree, lines[choice].queue_id)
    if place.tries < MOST_TRIES:
        return Show(menu_id, place.tries + 1)
    return Enter(default_leaf(tree, place, menu_id))


def default_leaf(tree: Tree, place: Place, menu_id: int) -> int:
    """The queue for a consumer who chooses nothing from this menu."""
    wanted = tree.living(place.default_id)
    return tree.first_leaf(wanted if wanted is not None and tree.is_within(wanted, place.root_id) else menu_id)


def read_choice(body: str, names: Sequence[str]) -> int | None:
    """Which of the lines, from 0, a text means; None unless it means one alone.

    It may be the line's number in figures of any kind or as a word, its name, or its number and its name. Case,
    accents, punctuation and emoji around it do not count, nor words such as `option` or `please`. Two numbers mean
    nothing, even the same one: `1 2` may be two answers, or one to this menu and one to the next.
    """
    words = normal(body).split()
    said = [word for word in words if word not in _BESIDE]
    number = _number(said[0]) if len(said) == 1 else None
    if number is not None:
        return number - 1 if 1 <= number <= len(names) else None
    for line, name in enumerate(names):
        named = normal(name).split()
        if words and (words == named or (_number(words[0]) == line + 1 and words[1:] == named)):
            return line
    return None


def is_word(body: str, word: str) -> bool:
    """Whether the whole text is this word."""
    return normal(body) == normal(word) != ""


def normal(body: str) -> str:
    """The words of a text as they are compared: without case, accents, and whatever is no letter or figure; an emoji
    that shows a figure is one. Of a text that has neither, its signs."""
    parted = unicodedata.normalize("NFKD", body.replace(_KEYCAP_TEN, " 10 "))
    shown = "".join(each for each in parted if unicodedata.category(each) not in ("Mn", "Me", "Cf")).casefold()
    return _BETWEEN_WORDS.sub(" ", shown).strip() or shown.strip()


def menu_of(lines: Sequence[Entry]) -> str:
    """The menu as a text: a line for each queue, its number before its name."""
    return "\n".join(f"{number} {line.name}" for number, line in enumerate(lines, 1))


def _open(tree: Tree, queue_id: int) -> Show | Enter:
    return Show(queue_id) if tree.lines(queue_id) else Enter(queue_id)


def _number(word: str) -> int | None:
    # Three figures are more than any menu has, and as many as int() may be given by anybody.
    return int(word) if word.isdecimal() and len(word) <= 3 else _NUMBERS.get(word)

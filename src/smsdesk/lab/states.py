"""Message ids and what query_sm says of them: eleven octets a message, whatever was sent."""

from array import array
from datetime import UTC, datetime

from smsdesk.lab.dialect import Ids
from smsdesk.lab.receipts import ENROUTE

_KEPT = 4_000_000
_PADDED = 20
_NOT_GIVEN_OUT = 1 << 60


def write_id(number: int, dialect: Ids) -> str:
    """A message id as this dialect writes it."""
    if dialect == "hex":
        return format(number, "x")
    return str(number).zfill(_PADDED if dialect == "padded" else 0)


def read_id(message_id: str, dialect: Ids) -> int | None:
    """The number behind a message id; None when it is none of this dialect."""
    try:
        return int(message_id, 16 if dialect == "hex" else 10)
    except ValueError:
        return None


def unknown(number: int) -> int:
    """A number that no lab has given out, made of one that this lab has."""
    return number + _NOT_GIVEN_OUT


class MessageStates:
    """Gives out message ids and remembers the end state of the last few million."""

    def __init__(self, started_at: float) -> None:
        # A lab that is started again must not give out an id twice, and takes under 2**20 texts a second.
        self._first = self._next = int(started_at) << 20
        self._states = bytearray()
        self._done_at = array("d")

    def allot(self, message_state: int, done_at: float) -> int:
        """The next id, for a message that will be in this state from `done_at` (seconds since 1970) on."""
        number = self._next
        self._next += 1
        self._states.append(message_state)
        self._done_at.append(done_at)
        if len(self._states) > _KEPT:
            half = _KEPT // 2
            del self._states[:half], self._done_at[:half]
            self._first += half
        return number

    def settle(self, number: int, message_state: int, done_at: float) -> None:
        """A message has ended otherwise, or at another time, than was said when it came in."""
        place = number - self._first
        if 0 <= place < len(self._states):
            self._states[place], self._done_at[place] = message_state, done_at

    def query(self, number: int, now: float) -> tuple[int, str] | None:
        """message_state and final_date at `now`, as query_sm_resp gives them; None for an unknown id."""
        place = number - self._first
        if not 0 <= place < len(self._states):
            return None
        if now < self._done_at[place]:
            return ENROUTE, ""
        final = datetime.fromtimestamp(self._done_at[place], UTC)
        return self._states[place], final.strftime("%y%m%d%H%M%S") + "000+"

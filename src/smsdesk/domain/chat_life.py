"""The life of a chat: one table of what may happen to it and what it becomes.

selecting     the consumer is in the menu, or has not answered an outbound text
queued        waits for an agent of its queue
resumed       waits for an agent, after it was set aside
transferred   waits for an agent, after another gave it away
assigned      an agent has it; the two have not spoken to each other yet
ongoing       an agent has it, and both have spoken
dismissed     set aside, for the consumer went silent: it comes back with his next text
finished      ended in the ordinary way
failed        ended for a reason (`fail_reason`)
abandoned     the consumer left before an agent had it
"""

from typing import Literal

Status = Literal[
    "selecting",
    "queued",
    "resumed",
    "transferred",
    "assigned",
    "ongoing",
    "dismissed",
    "finished",
    "failed",
    "abandoned",
]
Event = Literal[
    "choose",  # the consumer chose a queue, or needs to choose none
    "assign",  # an agent took it, or was given it
    "speak",  # consumer and agent have both spoken
    "transfer",  # its agent, or a supervisor, gave it to a queue or an agent
    "release",  # its agent went away: others are asked
    "dismiss",
    "resume",
    "finish",
    "fail",
    "leave",  # the consumer ended it
]

WAITING: tuple[Status, ...] = ("queued", "resumed", "transferred")
WITH_AN_AGENT: tuple[Status, ...] = ("assigned", "ongoing")
OPEN: tuple[Status, ...] = ("selecting", *WAITING, *WITH_AN_AGENT, "dismissed")
ENDED: tuple[Status, ...] = ("finished", "failed", "abandoned")

_ENDS: dict[Event, Status] = {"finish": "finished", "fail": "failed"}
_WAITS: dict[Event, Status] = {"assign": "assigned", "transfer": "transferred", "leave": "abandoned", **_ENDS}
LIFE: dict[Status, dict[Event, Status]] = {
    "selecting": {"choose": "queued", "assign": "assigned", "transfer": "transferred", "leave": "abandoned", **_ENDS},
    "queued": {"choose": "queued", **_WAITS},
    "resumed": {"choose": "queued", **_WAITS},
    "transferred": {"choose": "queued", "release": "queued", **_WAITS},
    "assigned": {"speak": "ongoing", "assign": "assigned", "transfer": "transferred", "release": "queued",
                 "dismiss": "dismissed", "leave": "finished", **_ENDS},
    "ongoing": {"assign": "assigned", "transfer": "transferred", "release": "queued", "dismiss": "dismissed",
                "leave": "finished", **_ENDS},
    "dismissed": {"resume": "resumed", "assign": "assigned", "transfer": "transferred", "leave": "finished", **_ENDS},
    "finished": {},
    "failed": {},
    "abandoned": {},
}  # fmt: skip
"""What each status may become, by what happens. There is no way out of the ended ones."""


def after(status: str, event: Event) -> Status | None:
    """What a chat of this status becomes by the event; None where that cannot happen to it."""
    return LIFE[status].get(event)  # type: ignore[index]

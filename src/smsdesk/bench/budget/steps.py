"""Which function belongs to which step of a message: the one table to change when the code moves.

A sample falls to the innermost function that is named here; the longest name that fits decides. Functions of others
(the driver, the standard library) that are not named fall to whoever called them. A function of ours that is not named
falls to no step, and the bench says how much did.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from smsdesk.bench.budget.sampler import Stack

OTHER = "no step"
LOOP = "event loop and sockets"
BESIDE = "what runs beside: hints, set-up, sweeps"

RUNNER = "asyncio.runners:"
"""What calls the loop, and so everything. It says something only of samples in which nothing else had begun."""
_BASE = (RUNNER, "smsdesk.cli.", "smsdesk.__main__:")

Steps = Mapping[str, tuple[str, ...]]
"""Beginnings of `module:function`, by the step that they belong to, in the order of a message's way."""

ACCEPT: Steps = {
    LOOP: (RUNNER,),
    "read the request": (
        "uvicorn.protocols.", "smsdesk.api.http:", "smsdesk.api.heads:", "smsdesk.api.serving:",
        "smsdesk.api.connections:", "smsdesk.api.app:", "smsdesk.wiring:Site",
    ),
    "who asks: token and limits": (
        "smsdesk.api.auth:", "smsdesk.api.limits:", "smsdesk.api.admission:", "smsdesk.api.overload:",
        "smsdesk.api.refusals:",
    ),
    "decode the body": ("smsdesk.api.v1.sms:_fields", "smsdesk.api.v1.sms:_digest"),
    "the route": ("smsdesk.api.v1.sms:", "smsdesk.api.keys:"),
    "check the fields": ("smsdesk.domain.", "smsdesk.steps.quiet_hours:"),
    "group": ("smsdesk.store.groups:", "smsdesk.actions.send_message:"),
    "call the statement": (
        "smsdesk.store.sends:", "smsdesk.store.db:", "smsdesk.store.telling:", "smsdesk.store.quiet_hours:",
        "asyncpg.pool:",
    ),
    "make the answer": ("smsdesk.api.v1.chat_object:", "smsdesk.api.v1.sent_object:", "smsdesk.domain.chat:"),
    "write the answer": (
        "smsdesk.api.writing:", "smsdesk.api.serving:ServingProtocol._answer",
        "smsdesk.api.serving:ServingProtocol.on_response_complete",
        "smsdesk.api.connections:ClientConnection.on_response_complete",
        "smsdesk.api.http:respond", "uvicorn.protocols.http.httptools_impl:RequestResponseCycle",
        "uvicorn.protocols.http.httptools_impl:HttpToolsProtocol.on_response_complete",
    ),
    BESIDE: (
        "smsdesk.store.hints:", "smsdesk.store.wakeups:", "smsdesk.store.directory:", "smsdesk.store.tenants:",
        "smsdesk.desk.hub:", "smsdesk.wiring:", "smsdesk.domain.tenant:", "uvicorn.server:",
        "smsdesk.api.serving:HttpServer",
    ),
}  # fmt: skip
"""The API process, from a request's first byte to its answer's last."""

_SMPP = "smsdesk.carriers.smpp."
DELIVER: Steps = {
    LOOP: (RUNNER,),
    "claim": (
        "smsdesk.actions.claim_texts:", "smsdesk.store.texts:claim", "smsdesk.jobs.deliver_texts:",
        "smsdesk.jobs.lines:", "smsdesk.jobs.pace:", "smsdesk.domain.segments:", "smsdesk.domain.gsm:",
        "smsdesk.domain.health:", "smsdesk.domain.text_state:ClaimedText",
    ),
    "encode": (
        f"{_SMPP}submission:", f"{_SMPP}submissions:Submissions.put", f"{_SMPP}codec:encode", f"{_SMPP}codec:_encode",
        f"{_SMPP}user_data:", f"{_SMPP}addressing:", f"{_SMPP}validity:", f"{_SMPP}pdu:",
    ),
    "window and write": (
        f"{_SMPP}window:", f"{_SMPP}gate:", f"{_SMPP}submissions:", f"{_SMPP}session:", f"{_SMPP}carrier:",
        f"{_SMPP}account:", f"{_SMPP}timers:",
    ),
    "read PDUs": (
        f"{_SMPP}codec:", f"{_SMPP}session:Session.data_received", f"{_SMPP}session:Session._receive:",
    ),
    "take the answer": (
        f"{_SMPP}submission:Submission.take", f"{_SMPP}submission:Submission.settle", f"{_SMPP}window:Window.take",
        f"{_SMPP}window:Window._settle", f"{_SMPP}submissions:Submissions.receive", f"{_SMPP}outcomes:",
        f"{_SMPP}submissions:Submissions._report", f"{_SMPP}session:Session._take_answer",
    ),
    "record outcomes and receipts": (
        "smsdesk.jobs.sink:", "smsdesk.actions.record_facts:", "smsdesk.store.facts:", "smsdesk.store.receipts:",
        "smsdesk.store.texts:record_outcomes", "smsdesk.store.texts:outcome_arrays", "smsdesk.store.texts:some",
        "smsdesk.domain.text_state:", "smsdesk.domain.outcome:", "smsdesk.domain.reply:clean",
    ),
    "take the receipt": (
        f"{_SMPP}deliveries:", f"{_SMPP}inbound:", f"{_SMPP}receipts:", "smsdesk.carriers.facts:",
        "smsdesk.carriers.contract:", "smsdesk.jobs.sink:LineSink.receipt", "smsdesk.domain.text_state:PartReceipt",
        f"{_SMPP}session:Session._receive_delivery",
    ),
    "group": ("smsdesk.store.groups:",),
    "what any call shares: pool, notices": ("smsdesk.store.db:", "smsdesk.store.telling:", "asyncpg.pool:"),
    BESIDE: ("smsdesk.jobs.", "smsdesk.store.", "smsdesk.actions.", "smsdesk.steps.", "smsdesk.wiring:"),
}  # fmt: skip
"""The worker process, from the claim to the recorded receipt."""


class Table:
    """Finds the step of a stack."""

    def __init__(self, steps: Steps) -> None:
        self._steps = {beginning: step for step, beginnings in steps.items() for beginning in beginnings}
        self._known: dict[str, str | None] = {}

    def step(self, stack: Stack) -> str:
        """The step's name, OTHER where it belongs to none."""
        for function in stack:
            if function.startswith(_BASE):
                return LOOP if function == stack[0] else OTHER
            step = self._of(function)
            if step is not None:
                return step
        return OTHER

    def _of(self, function: str) -> str | None:
        if function not in self._known:
            fitting = [beginning for beginning in self._steps if function.startswith(beginning)]
            unnamed = OTHER if function.startswith("smsdesk.") else None
            self._known[function] = self._steps[max(fitting, key=len)] if fitting else unnamed
        return self._known[function]


def attribute(steps: Steps, stacks: Iterable[tuple[Stack, int]]) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """What each step took, OTHER last, and the innermost functions of what fell to none, the dearest first."""
    table, taken, lost = Table(steps), dict.fromkeys([*steps, OTHER], 0), Counter[str]()
    for stack, took in stacks:
        step = table.step(stack)
        taken[step] += took
        if step == OTHER:
            ours = (
                function for function in stack if function.startswith("smsdesk.") and not function.startswith(_BASE)
            )
            lost[next(ours, stack[0] if stack else "")] += took
    return taken, lost.most_common()

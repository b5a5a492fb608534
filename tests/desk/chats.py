"""Chats for tests of the desk, as consumers begin them and agents take them."""

import re
from dataclasses import dataclass

from smsdesk.actions.take_chat import take_chat
from smsdesk.domain.reply import InboundPart
from tests.kit.api import OURS
from tests.kit.desk import PEOPLE, DeskKit, Person, Seen

SCRIPTED = {"HX-Request": "true"}


@dataclass
class Chats:
    """What happens in chats of `acme`."""

    desk: DeskKit
    phones: int = 2000

    async def writes(self, body: str = "hello", phone: str = "") -> int:
        """A consumer writes to our number, a new one where none is named: his chat."""
        if not phone:
            self.phones += 1
            phone = f"+1415555{self.phones}"
        self.desk.clock.forward(seconds=1)
        part = InboundPart(1, phone, OURS, body, "ucs2", self.desk.clock(), "s", f"{phone} {self.desk.clock()}")
        received = await self.desk.services.receive_reply(1, part)
        assert received.chat_id is not None
        return received.chat_id

    async def phone_of(self, chat_id: int) -> str:
        """The number of a chat's consumer."""
        return str(await self.desk.db.fetchval(
            "select e.number from chats c join end_users e using (tenant_id, end_user_id) where c.chat_id = $1", chat_id
        ))  # fmt: skip

    async def ongoing(self, who: str = "john", body: str = "hello") -> int:
        """A chat that this person has taken."""
        chat_id = await self.writes(body)
        await take_chat(self.desk.services.begin, self.desk.services.directory.tenants["acme"], chat_id, PEOPLE[who][1])
        return chat_id

    async def say(self, person: Person, chat_id: int, body: str, **more: str) -> Seen:
        """The person answers with the form of the page as it is now, or with fields of another one."""
        form = {**await self.form(person, chat_id), "body": body, **more}
        self.desk.clock.forward(seconds=1)
        return await person.post(f"/desk/chats/{chat_id}/say", form, **SCRIPTED)

    async def form(self, person: Person, chat_id: int) -> dict[str, str]:
        """What the composer's form sends beside its words."""
        page = await person.get(f"/desk/chats/{chat_id}")
        assert page.status == 200, page.text
        fields = page.html.select("form.say input[type=hidden]")
        return {field["name"]: field["value"] for field in fields}

    async def texts(self, chat_id: int) -> list[str]:
        """What our side has sent."""
        rows = await self.desk.db.fetch(
            "select body from messages where chat_id = $1 and sender = 'agent' order by created_at, message_id", chat_id
        )
        return [row["body"] for row in rows]

    async def ends(self, message_id: int, state: str, reason: str | None = None) -> None:
        """A text's end, as a worker records it."""
        await self.desk.db.execute("delete from texts where message_id = $1", message_id)
        await self.desk.db.execute(
            "update messages set state = $2, reason = $3, ended_at = $4 where message_id = $1",
            message_id, state, reason, self.desk.clock(),
        )  # fmt: skip

    async def last_text(self, chat_id: int) -> int:
        """The id of our last text."""
        return int(await self.desk.db.fetchval(
            "select max(message_id) from messages where chat_id = $1 and sender = 'agent'", chat_id
        ))  # fmt: skip


def lines(seen: Seen) -> list[str]:
    """The thread's lines on a page, without days and events, each as one reads it."""
    found = seen.html.select("ol.talk > li.in, ol.talk > li.out, ol.talk > li.note")
    return [re.sub(r"\s+", " ", line.get_text(" ", strip=True)) for line in found]

"""From a send that names a ticket to its transcript in Zendesk, over HTTP and a handset, with real processes."""

from pathlib import Path
from typing import Any

from tests.crm.serving import listening
from tests.crm.zendesk_account import EMAIL, TOKEN, Account, account_app
from tests.kit.api import CONSUMER, SEED
from tests.kit.demo_setup import Client, apply, client_of, set_up, setup_text
from tests.kit.lab import running_lab
from tests.kit.processes import serving, until

LIMIT = 20.0


async def shows(client: Client, chat_id: int, key: str, value: Any) -> dict[str, Any]:
    """The chat, once it shows this."""

    async def found() -> dict[str, Any] | None:
        chat = await client.chat(chat_id)
        return chat if chat[key] == value else None

    return await until(found, LIMIT, f"{key} of chat {chat_id} is {value}") or {}


async def test_a_ticket_is_linked_shown_and_gets_the_transcript(database: str, tmp_path: Path) -> None:
    account, key = Account(), tmp_path / "zendesk.key"
    key.write_text(TOKEN)
    user = account.add_user(phone="(415) 555-0100")
    ticket_id = account.add_ticket(requester_id=user)
    async with listening(account_app(account)) as url, running_lab() as lab:
        token = await set_up(database, tmp_path, lab.smpp_port)
        crm = f"crm: {{type: zendesk, base_url: '{url}', email: {EMAIL}, api_token: {{file: {key}}}}}"
        await apply(database, tmp_path, setup_text(lab.smpp_port).replace("when_active", f"{crm}, when_active"))
        async with serving(tmp_path, database=database) as server:
            async with client_of(server.base_url, token) as client:
                sent = (await client.call("POST", "/sms", json={**SEED, "ticket_id": str(ticket_id)})).json
                assert (sent["out_ticket_id"], sent["out_ticket_url"]) == (None, None), "the seed's answer"
                chat = await shows(client, sent["id"], "out_ticket_id", str(ticket_id))
                assert chat["out_ticket_url"] == f"{url}/agent/tickets/{ticket_id}"
                assert chat["end_user"]["out_contact_id"] == str(user)

                await lab.reply(CONSUMER, "where is my order?")
                await shows(client, sent["id"], "status", "queued")
                await client.call("PATCH", f"/chats/{sent['id']}", json={"chat": {"status": "finished"}})

                async def posted() -> bool:
                    return len(account.notes(ticket_id)) == 1

                async def none_left() -> bool:
                    return (await client.call("GET", "/tickets/jobs")).json == []

                await until(posted, LIMIT, "the transcript in Zendesk")
                assert "where is my order?" in account.notes(ticket_id)[0]
                await until(none_left, LIMIT, "it is known to be there")
            assert await server.stop() == 0, server.errors
            assert '"level": "error"' not in server.errors, server.errors

"""What tests of signing in share: people with passwords, settings that the server has seen, a browser's cookies."""

from http.cookies import SimpleCookie
from typing import Any

from smsdesk.setup.passwords import hash_password
from tests.kit.desk import DeskKit, Person, Seen

PASSWORD = "sesame, open the desk"
HASHED = hash_password(PASSWORD, lambda size: b"0" * size)
JOHN = "john.doe@foo.com"


async def give_password(desk: DeskKit, agent_id: int = 1) -> None:
    await desk.db.execute("update agents set password_hash = $2 where agent_id = $1", agent_id, HASHED)


async def settle(desk: DeskKit, **settings: Any) -> None:
    """Changes settings of `acme`, and waits until the server has seen it."""
    await desk.db.execute(
        "update tenants set settings = settings || $1::jsonb, changed_at = changed_at + interval '1 ms' "
        "where tenant_id = 1",
        settings,
    )
    await desk.services.directory.refresh()


class Browser:
    """One that keeps its cookies, as a person's does."""

    def __init__(self, desk: DeskKit) -> None:
        self.desk = desk
        self.cookies: dict[str, str] = {}
        self.set: list[str] = []
        """The lines of the last answer that set cookies."""
        self._person = Person(desk, desk.http, "")

    async def get(self, path: str, **headers: str) -> Seen:
        return self._keep(await self._person.get(path, **self._sent(headers)))

    async def post(self, path: str, data: Any = None, **headers: str) -> Seen:
        return self._keep(await self._person.post(path, data, **self._sent(headers)))

    async def sign_in(self, password: str = PASSWORD, email: str = JOHN, **form: str) -> Seen:
        headers = {name: form.pop(name) for name in ("X-Forwarded-For", "Host") if name in form}
        data = {"email": email, "password": password, "workspace": "acme", **form}
        return await self.post("/desk/sign-in", data, **headers)

    def _sent(self, headers: dict[str, str]) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}

    def _keep(self, seen: Seen) -> Seen:
        self.set = seen.headers.getall("set-cookie", [])
        for line in self.set:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return seen

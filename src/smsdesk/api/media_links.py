"""/media/{token}: files that open without a password, for as long as their link lives.

Carriers fetch what they send from here, and a browser shows it in a chat: what was uploaded or came from a phone must
do nothing but be shown.
"""

from typing import Any

from litestar import Request, Response, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from smsdesk.api.services import Services
from smsdesk.domain.media import MediaType
from smsdesk.domain.media_link import PATH, is_proven, read_token
from smsdesk.errors import Problem
from smsdesk.media.contract import StoreAway
from smsdesk.store.media import KeptFile, find_kept
from smsdesk.store.tenants import read_tenant

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}
"""Nothing runs, nothing is guessed, nothing learns the address."""
_SHOWN = ("photo", "video", "audio")
"""What a browser may show in place; other files are saved."""


def file_response(kind: MediaType, content: bytes, media_id: int) -> Response[bytes]:
    """A file as it is given out."""
    place = "inline" if kind.kind in _SHOWN else "attachment"
    name = f"{kind.kind}-{media_id}.{kind.suffix}"
    headers = {**HEADERS, "Content-Disposition": f'{place}; filename="{name}"'}
    return Response(content, media_type=kind.content_type, headers=headers)


async def read_file(services: Services, tenant_id: int, file: KeptFile) -> bytes:
    """The octets of a file; raises Problem where they cannot be had."""
    async with services.db.connection() as conn:
        settings = (await read_tenant(conn, tenant_id)).settings
    try:
        content = await services.media_stores.of(settings.media_store).get(file.content_key)
    except StoreAway as error:
        raise Problem("overloaded") from error
    if content is None:
        raise Problem("not_found")
    return content


@route(PATH + "{token:str}", http_method=["GET", "HEAD"], include_in_schema=False)
async def open_link(
    services: NamedDependency[Services], request: Request[Any, Any, Any], token: FromPath[str]
) -> Response[bytes]:
    """The file that a link names. A forged link, and one of a file that is gone, are both not found."""
    named = read_token(token)
    if named is None:
        raise Problem("not_found")
    async with services.db.connection() as conn:
        file = await find_kept(conn, named.tenant_id, named.chat_id, named.media_id)
    if file is None or not is_proven(file.link_key, named):
        raise Problem("not_found")
    if services.clock() >= named.expires_at:
        return Response(b'{"message":"this link has expired"}', status_code=410, media_type="application/json")
    content = await read_file(services, named.tenant_id, file)
    answer = file_response(file.kind, content, named.media_id)
    if request.method == "HEAD":
        return Response(
            b"", media_type=file.kind.content_type, headers={**answer.headers, "Content-Length": str(len(content))}
        )
    return answer

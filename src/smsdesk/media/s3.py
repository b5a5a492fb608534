"""Files in a bucket of Amazon S3, or of anything that speaks like it (MinIO, Ceph, R2 ...)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO

import aiohttp
from yarl import URL

from smsdesk.media.contract import FRESH, StoreAway
from smsdesk.media.sigv4 import Keys, sign

_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=10)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the files are. The bucket stands in the path of each address, which every such service takes."""

    endpoint: str
    """Such as `https://s3.us-east-1.amazonaws.com`, without a slash at its end."""
    name: str
    keys: Keys


class S3Store:
    """A bucket, as `contract.MediaStore` promises."""

    def __init__(self, bucket: Bucket, clock: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._clock = clock

    async def put(self, key: str, content: bytes) -> None:
        """Puts an object; the service says 200 when it is safe."""
        status, _, _ = await self._call("PUT", key, content)
        if status != 200:
            raise StoreAway(f"the bucket {self._bucket.name} answered {status}")

    async def get(self, key: str) -> bytes | None:
        """Gets an object."""
        status, body, _ = await self._call("GET", key, b"")
        if status == 404:
            return None
        if status != 200:
            raise StoreAway(f"the bucket {self._bucket.name} answered {status}")
        return body

    async def remove(self, key: str) -> bool:
        """Deletes an object, unless the service says that it was put a moment ago."""
        status, _, changed = await self._call("HEAD", key, b"")
        if status == 200 and changed and self._clock() - parsedate_to_datetime(changed) < timedelta(seconds=FRESH):
            return False
        if status == 200:
            status, _, _ = await self._call("DELETE", key, b"")
        if status not in (200, 204, 404):
            raise StoreAway(f"the bucket {self._bucket.name} answered {status}")
        return True

    async def _call(self, method: str, key: str, content: bytes) -> tuple[int, bytes, str | None]:
        """Status, content and `Last-Modified`."""
        url = f"{self._bucket.endpoint}/{self._bucket.name}/{key}"
        headers = {"content-type": "application/octet-stream"} if content else {}
        signed = sign(self._bucket.keys, method, url, headers, content, self._clock())
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.request(
                    method,
                    URL(url, encoded=True),
                    headers=signed,
                    data=BytesIO(content) if content else None,
                    allow_redirects=False,
                ) as answer,
            ):
                changed = answer.headers.get("Last-Modified")
                return answer.status, await answer.read() if answer.status == 200 else b"", changed
        except (aiohttp.ClientError, OSError) as error:
            raise StoreAway(f"the bucket {self._bucket.name} cannot be reached") from error

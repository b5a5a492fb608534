"""Both places that keep files, as the contract promises; and the signature of S3, by Amazon's own examples."""

import hashlib
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from time import time

import pytest
from aiohttp import web

from smsdesk.domain.media import content_key
from smsdesk.media.contract import MediaStore, StoreAway
from smsdesk.media.folder import FolderStore
from smsdesk.media.s3 import Bucket, S3Store
from smsdesk.media.sigv4 import Keys, sign
from tests.media.servers import Source, source

EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
AT = datetime(2013, 5, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "path", "headers", "payload", "signature"),
    [
        ("GET", "test.txt", {"Range": "bytes=0-9"}, b"",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("PUT", "test%24file.text",
         {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
         b"Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        ("GET", "?lifecycle", {}, b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "?max-keys=2&prefix=J", {}, b"", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)  # fmt: skip
def test_signatures_are_those_of_amazons_examples(
    method: str, path: str, headers: dict[str, str], payload: bytes, signature: str
) -> None:
    signed = sign(EXAMPLE, method, f"https://examplebucket.s3.amazonaws.com/{path}", headers, payload, AT)
    assert signed["authorization"].endswith(f"Signature={signature}")


class Bucketful:
    """A server that keeps objects as S3 does: it takes what is signed right for what it holds, and nothing else."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.age = 7200.0
        self.status = 0

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status:
            return web.Response(status=self.status)
        if request.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return web.Response(status=400)
        given = request.headers["authorization"]
        names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        headers = {name: request.headers[name] for name in names if not name.startswith(("host", "x-amz-"))}
        at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if sign(EXAMPLE, request.method, str(request.url), headers, body, at)["authorization"] != given:
            return web.Response(status=403)
        if request.method == "PUT":
            self.objects[request.path] = body
            return web.Response()
        if request.method == "DELETE":
            self.objects.pop(request.path, None)
            return web.Response(status=204)
        kept = self.objects.get(request.path)
        if request.method == "HEAD" and kept is not None:
            changed = format_datetime(AT - timedelta(seconds=self.age), usegmt=True)
            return web.Response(headers={"Last-Modified": changed})
        return web.Response(body=kept) if kept is not None else web.Response(status=404)


@pytest.fixture(params=["folder", "s3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "media")
        return
    async with source() as server:
        yield await _bucket(server, Bucketful())


async def _bucket(server: Source, bucketful: Bucketful, keys: Keys = EXAMPLE) -> S3Store:
    server.answers = _Everything(bucketful)
    return S3Store(Bucket(server.url, "files", keys), lambda: AT)


class _Everything(dict):  # type: ignore[type-arg]
    """One answer for each path."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer = answer

    def get(self, _path: object, _default: object = None) -> object:
        return self._answer


async def test_what_was_put_is_there(place: MediaStore) -> None:
    content = os.urandom(2_000_000)
    key = content_key(7, content)
    assert await place.get(key) is None
    await place.put(key, content)
    await place.put(key, content)
    assert await place.get(key) == content
    assert await place.get(content_key(8, content)) is None


async def test_a_folder_is_for_its_owner_alone_and_leaves_nothing_half(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "media"
    key = content_key(7, b"content")
    await FolderStore(folder).put(key, b"content")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files == [folder / key]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where a folder belongs")
    with pytest.raises(StoreAway, match="the media folder: "):
        await FolderStore(tmp_path / "media").put(content_key(7, b"content"), b"content")


@pytest.mark.parametrize("key", ["../7/ab/secret", "7/../../etc/passwd", "/etc/passwd", "7/ab/" + "g" * 64])
async def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        await FolderStore(tmp_path).get(key)


async def test_a_bucket_that_does_not_take_it_is_tried_again() -> None:
    key = content_key(7, b"content")
    async with source() as server:
        bucketful = Bucketful()
        bucketful.status = 503
        with pytest.raises(StoreAway, match="answered 503"):
            await (await _bucket(server, bucketful)).put(key, b"content")
        wrong = Keys(EXAMPLE.access_key, "another", "us-east-1")
        with pytest.raises(StoreAway, match="answered 403"):
            await (await _bucket(server, Bucketful(), wrong)).get(key)
        away = await _bucket(server, Bucketful())
    with pytest.raises(StoreAway, match="cannot be reached"):
        await away.get(key)


@pytest.mark.parametrize(("age", "removed"), [(7200.0, True), (60.0, False)])
async def test_a_file_is_removed_but_not_one_put_a_moment_ago(tmp_path: Path, age: float, removed: bool) -> None:
    content, key = b"a file", content_key(1, b"a file")
    folder = FolderStore(tmp_path / "media")
    bucketful = Bucketful()
    bucketful.age = age
    async with source() as server:
        for place in (folder, await _bucket(server, bucketful)):
            assert await place.remove(key), "there is none"
            await place.put(key, content)
            os.utime(tmp_path / "media" / key, (time() - age, time() - age)) if place is folder else None
            assert await place.remove(key) is removed
            assert (await place.get(key) is None) is removed


async def test_a_file_that_is_put_again_is_young_again(tmp_path: Path) -> None:
    content, key = b"a file", content_key(1, b"a file")
    folder = FolderStore(tmp_path / "media")
    await folder.put(key, content)
    os.utime(tmp_path / "media" / key, (0, 0))
    await folder.put(key, content)
    assert not await folder.remove(key)

"""Files in a folder of this machine, which every node must see where there are several."""

import asyncio
import os
import re
import secrets
import time
from pathlib import Path

from smsdesk.media.contract import FRESH, StoreAway

_KEY = re.compile(r"[0-9]+/[0-9a-f]{2}/[0-9a-f]{64}")


class FolderStore:
    """A folder, as `contract.MediaStore` promises. Its files are for the owner of the process alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: bytes) -> None:
        """Writes the file under another name, and gives it its own once it is whole."""
        try:
            await asyncio.to_thread(self._write, self._path(key), content)
        except OSError as error:
            raise StoreAway(f"the media folder: {error.strerror}") from error

    async def get(self, key: str) -> bytes | None:
        """Reads the file."""
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreAway(f"the media folder: {error.strerror}") from error

    async def remove(self, key: str) -> bool:
        """Removes the file. Its time of change is that of the last `put`."""
        try:
            return await asyncio.to_thread(_remove, self._path(key))
        except OSError as error:
            raise StoreAway(f"the media folder: {error.strerror}") from error

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("no key of a file")
        return self._folder / key

    def _write(self, path: Path, content: bytes) -> None:
        try:
            os.utime(path)
            return
        except FileNotFoundError:
            pass
        for folder in reversed((path.parent, *path.parent.parents)):
            if not folder.exists():
                folder.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.parent / f".{secrets.token_hex(8)}"
        try:
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            _sync(folder)


def _remove(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < FRESH:
            return False
        path.unlink()
    except FileNotFoundError:
        pass
    return True


def _sync(folder: Path) -> None:
    """Puts the folder's list of names on disk: without it a crash may lose the new name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

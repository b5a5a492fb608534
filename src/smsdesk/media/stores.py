"""Which place keeps a tenant's files: the folder of this server, or the tenant's own bucket."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from smsdesk.media.contract import MediaStore, StoreAway
from smsdesk.media.folder import FolderStore
from smsdesk.media.s3 import Bucket, S3Store
from smsdesk.media.sigv4 import Keys
from smsdesk.setup.secrets import SecretMissing, resolve_all


class Stores:
    """The places of one server; `environ` is where the references to a bucket's keys lead."""

    def __init__(self, folder: Path, environ: Mapping[str, str], clock: Callable[[], datetime]) -> None:
        self._folder = FolderStore(folder)
        self._environ = environ
        self._clock = clock

    def of(self, media_store: Mapping[str, Any] | None) -> MediaStore:
        """The place that a tenant's setting `media_store` names. Raises StoreAway where its keys are not on this
        machine."""
        if media_store is None:
            return self._folder
        try:
            s3 = resolve_all(media_store["s3"], self._environ)
        except SecretMissing as error:
            raise StoreAway(f"media_store: {error}") from None
        keys = Keys(s3["access_key"], s3["secret_key"], s3["region"])
        return S3Store(Bucket(s3["endpoint"], s3["bucket"], keys), self._clock)

"""Uploaded files on their way to a worker: in the database, for nothing else is known to reach every host."""

import logging
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from market_data.errors import MarketDataError
from market_data.models import Upload, UploadPart

logger = logging.getLogger(__name__)
PART_BYTES = 4 * 1024 * 1024
MOST_BYTES = 10 * 1024**3
"""Of all uploads that wait at once: the database's disk is not filled by them."""
KEPT_HOURS = 24
"""How long a file that has only been looked at, or was refused, can still be imported without sending it again."""
PERIOD_SECONDS = 60
_FOLDER = "candlestream-upload-"


class UploadGoneError(MarketDataError):
    """An upload that is no longer there, or not whole."""


class SpoolFullError(MarketDataError):
    """So much waits to be imported that no more is taken."""


def keep(pieces: Iterable[bytes], *, size_bytes: int, name: str, owner: Any) -> Upload:
    """Store a file; a few megabytes a transaction, so that nobody else waits.

    Its size counts from the beginning: of files that arrive at the same time, none is overlooked.

    Raises
    ------
    SpoolFullError
        If the files that wait are too large together; nothing of this one is kept then.
    """
    upload = Upload.objects.create(owner=owner, name=name, size_bytes=size_bytes)
    try:
        waiting = Upload.objects.aggregate(bytes=Sum("size_bytes", default=0))["bytes"]
        if waiting > MOST_BYTES:
            raise SpoolFullError(
                f"Files of {waiting - size_bytes:,} bytes wait to be imported already; try again when they are done."
            )
        for number, data in enumerate(_parts(pieces)):
            UploadPart.objects.create(upload=upload, number=number, data=data)
    except BaseException:
        forget(upload)
        raise
    return upload


def _parts(pieces: Iterable[bytes]) -> Generator[bytes]:
    part = bytearray()
    for piece in pieces:
        part += piece
        while len(part) >= PART_BYTES:
            yield bytes(part[:PART_BYTES])
            del part[:PART_BYTES]
    if part:
        yield bytes(part)


@contextmanager
def fetched(upload_id: UUID | str) -> Generator[Path]:
    """An upload as a file of its own name, in a folder that goes away afterwards.

    Raises
    ------
    UploadGoneError
        If it has been imported already, or has waited too long.
    """
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None:
        raise UploadGoneError("The uploaded file is no longer kept; send it again.")
    _remove_folders_of_the_dead()
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        path = Path(folder) / Path(upload.name).name
        with path.open("wb") as file:
            for data in _stored_parts(upload):
                file.write(data)
        if path.stat().st_size != upload.size_bytes:
            raise UploadGoneError(f"{upload.name} has not arrived whole; send it again.")
        yield path


def _stored_parts(upload: Upload) -> Generator[bytes]:
    """Each by a statement of its own: a cursor over all would have the server copy them first."""
    for number in count():
        part = UploadPart.objects.filter(upload=upload, number=number).first()
        if part is None:
            return
        yield bytes(part.data)


def forget(upload: Upload) -> None:
    """Delete an upload, a part at a time: freeing gigabytes at once would hold up all who write."""
    for part_id in list(UploadPart.objects.filter(upload=upload).values_list("pk", flat=True)):
        UploadPart.objects.filter(pk=part_id).delete()
    upload.delete()


def forget_what_nobody_needs() -> int:
    """Delete uploads that have been imported, or have waited too long; returns how many."""
    old = timezone.now() - timedelta(hours=KEPT_HOURS)
    done = [
        *Upload.objects.filter(imported_at__isnull=False),
        *Upload.objects.filter(imported_at=None, created_at__lt=old),
    ]
    for upload in done:
        forget(upload)
    return len(done)


def mark_imported(upload_id: UUID | str) -> None:
    """Say that an upload has done its duty; in the transaction that says so to the user."""
    Upload.objects.filter(pk=upload_id).update(imported_at=timezone.now())


def _remove_folders_of_the_dead() -> None:
    """What a process that was killed has left behind on this host."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not _lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

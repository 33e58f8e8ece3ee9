"""What a file is by its first bytes, whatever its name says, and its contents without their packing."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from market_data.errors import FileRefusedError

HEAD_BYTES = 64 * 1024
MOST_TIMES_LARGER = 200
"""Text of candles shrinks to a fifth; a file that grows by more than this is made to fill the disk."""
UNSUSPICIOUS_BYTES = 64 * 1024 * 1024
MOST_MEMBERS = 2000
"""Files in one archive: a market has hundreds of cryptocurrencies."""
_SUFFIXES = {
    ".gz",
    ".zip",
    ".csv",
    ".txt",
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".json",
    ".jsonl",
    ".ndjson",
}


@dataclass(frozen=True, slots=True)
class Content:
    """One table of candles, in a file of its own or inside an archive.

    Attributes
    ----------
    path
        The file on disk.
    member
        Its name inside a zip archive; empty for other files.
    kind
        parquet, feather, json or csv.
    packing
        plain, gzip or zip.
    """

    path: Path
    member: str
    kind: str
    packing: str

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"{self.path.name}:{self.member}" if self.member else self.path.name

    @property
    def stem(self) -> str:
        """Its name without folders and endings, for finding the symbol in it."""
        name = PurePosixPath(self.member).name if self.member else self.path.name
        while PurePosixPath(name).suffix.lower() in _SUFFIXES:
            name = PurePosixPath(name).stem
        return name

    @contextmanager
    def open(self) -> Generator[tuple[Any, Callable[[], float]]]:
        """The bytes without their packing, and what tells the share of them that has been read.

        Refuses an archive that is cut off or grows without end.
        """
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            if self.packing == "plain":
                yield file, lambda: file.tell() / size
            elif self.packing == "gzip":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield _Bounded(unpacked, size, self.name), lambda: file.tell() / size
            else:
                with zipfile.ZipFile(file) as archive:
                    entry = archive.getinfo(self.member)
                    with _open_member(archive, entry, self.name) as (bounded, unpacked):
                        yield bounded, lambda: unpacked.tell() / max(entry.file_size, 1)


class _Bounded(io.RawIOBase):
    """A stream that refuses to become absurdly larger than what it was unpacked from."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, packed_bytes: int, name: str) -> None:
        self._stream = stream
        self._left = max(packed_bytes * MOST_TIMES_LARGER, UNSUSPICIOUS_BYTES)
        self._name = name

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack the next bytes."""
        try:
            data = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise FileRefusedError(
                f"{self._name} is cut off or damaged inside its packing: {error}."
            ) from error
        self._left -= len(data)
        if self._left < 0:
            raise FileRefusedError(
                f"{self._name} unpacks to over {MOST_TIMES_LARGER} times its size; no candles are like that."
            )
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _open_member(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str
) -> Generator[tuple[_Bounded, IO[bytes]]]:
    try:
        unpacked = archive.open(entry.filename)
    except (zipfile.BadZipFile, RuntimeError) as error:  # a password, a way of packing that Python lacks
        raise FileRefusedError(f"{name} can't be unpacked: {error}.") from error
    with unpacked:
        yield _Bounded(unpacked, entry.compress_size, name), unpacked


def contents(path: Path) -> list[Content]:
    """The tables in a file: one, or each member of a zip archive.

    Raises
    ------
    FileRefusedError
        If the file is absent, empty, no readable archive, or a web page.
    """
    try:
        head = _head(path)
    except OSError as error:
        raise FileRefusedError(f"{path.name} can't be read: {error.strerror}.") from error
    if not head.strip():
        raise FileRefusedError(f"{path.name} is empty.")
    if head.startswith(b"\x1f\x8b"):
        with Content(path, "", "csv", "gzip").open() as (stream, _):
            return [_unpacked(path, "", "gzip", stream)]
    if head.startswith(b"PK\x03\x04"):
        return _members(path)
    return [Content(path, "", _kind(head, path.name), "plain")]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _members(path: Path) -> list[Content]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if _is_table(entry)]
            if not entries or len(entries) > MOST_MEMBERS:
                raise FileRefusedError(
                    f"{path.name} holds {len(entries):,} files; an archive may hold 1 to {MOST_MEMBERS:,}."
                )
            return [_member(path, archive, entry) for entry in entries]
    except zipfile.BadZipFile as error:
        raise FileRefusedError(f"{path.name} is a cut off or damaged zip archive: {error}.") from error


def _is_table(entry: zipfile.ZipInfo) -> bool:
    return not entry.is_dir() and not entry.filename.startswith("__MACOSX/")


def _member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Content:
    with _open_member(archive, entry, f"{path.name}:{entry.filename}") as (stream, _):
        return _unpacked(path, entry.filename, "zip", stream)


def _unpacked(path: Path, member: str, packing: str, stream: Any) -> Content:
    packed = Content(path, member, "csv", packing)
    head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise FileRefusedError(f"{packed.name} is empty.")
    return Content(path, member, _kind(head, packed.name), packing)


def _kind(head: bytes, name: str) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"FEA1", b"\xff\xff\xff\xff")):
        return "feather"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:200].lower().startswith((b"<!", b"<html", b"<?xml", b"<head", b"<body")):
        raise FileRefusedError(f"{name} is a web page, not candles; the download has probably failed.")
    if text.startswith((b"[", b"{")):
        return "json"
    if b"\x00" in head:
        raise FileRefusedError(f"{name} is neither Parquet, Feather, JSON nor text.")
    return "csv"

"""Documents kept by the hash of their content: the same bytes are the same document."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from gateways.durable import write_durably

KEY = re.compile(r"[0-9a-f]{64}(\.[a-z0-9]{1,8})?")
SUFFIX = re.compile(r"(\.[a-z0-9]{1,8})?")


class NoSuchDocument(Exception):
    """Nothing is stored under this key."""


class DamagedDocument(Exception):
    """What is stored under this key is not what was put there."""


class Storage(Protocol):
    """Where documents are kept; a key is the SHA-256 of the content in hex with the suffix after it."""

    def put(self, content: bytes, *, suffix: str = "") -> str:
        """Keeps the content and returns its key; the same content again changes nothing."""
        ...

    def get(self, key: str) -> bytes:
        """The content. Raises NoSuchDocument, or DamagedDocument when it no longer fits its key."""
        ...

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""
        ...


class FolderStorage:
    """Documents in a folder of this machine, `ab/abcdef...pdf` below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: bytes, *, suffix: str = "") -> str:
        """Keeps the content, whole and on disk, and returns its key. Raises ValueError for a strange suffix."""
        if not SUFFIX.fullmatch(suffix):
            raise ValueError(f"{suffix!r} is not a suffix such as '.pdf'")
        key = sha256(content).hexdigest() + suffix
        if not self._holds(key, content):
            write_durably(self._path(key), content=content)
        return key

    def get(self, key: str) -> bytes:
        """The content. Raises NoSuchDocument, or DamagedDocument when the file was changed behind our back."""
        if not KEY.fullmatch(key):
            raise NoSuchDocument(key)
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError as missing:
            raise NoSuchDocument(key) from missing
        if sha256(content).hexdigest() != key[:64]:
            raise DamagedDocument(key)
        return content

    def exists(self, key: str) -> bool:
        """Whether something is stored under the key; a text that is no key is nowhere."""
        return KEY.fullmatch(key) is not None and self._path(key).is_file()

    def _holds(self, key: str, content: bytes) -> bool:
        # Compared, not just looked for: putting a document again mends a damaged one.
        path = self._path(key)
        return path.is_file() and path.read_bytes() == content

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / key


def storage_at(place: str | Path) -> Storage:
    """The storage at a folder or `file://` URL. Raises ValueError for a scheme nobody wrote yet."""
    if isinstance(place, Path):
        return FolderStorage(place)
    parts = urlsplit(place)
    match parts.scheme:
        case "":
            return FolderStorage(Path(place))
        case "file":
            return FolderStorage(Path(unquote(parts.path)))
        case scheme:
            raise ValueError(f"no storage speaks {scheme}://")

"""Writing a file so that it is either whole and on disk, or not there."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_durably(path: Path, *, content: bytes) -> None:
    """Puts `content` at `path` by temporary file, fsync, rename and fsync of the folder; raises OSError.

    A reader never sees half a file, and what returned survives a kill. The temporary's name starts with a dot.
    """
    _make_folder(path.parent)
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

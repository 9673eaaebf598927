"""Small files that are replaced whole, and folders that are made private."""

import os
import secrets
from pathlib import Path


def write_atomically(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replaces the file in one step; a reader sees the old text or the new one."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(file)


def kept_secret(file: Path) -> str:
    """The file's password; made on first use, readable by its owner only."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        word = secrets.token_urlsafe(24)
        write_atomically(file, word + "\n", mode=0o600)
        return word


def last_line(file: Path) -> str:
    """The last line of a log that says something, without control characters; empty when there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 8192))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    spoken = [line.strip() for line in lines if line.strip()]
    return "".join(letter for letter in spoken[-1] if letter.isprintable())[:300] if spoken else ""

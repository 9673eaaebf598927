"""One readable line per event on the terminal, coloured by part."""

import os
import sys
from pathlib import Path
from typing import TextIO

_COLOURS = {
    "allotment": "1",
    "postgres": "34",
    "temporal": "35",
    "api": "32",
    "worker-1": "36",
    "worker-documents": "36",
    "dispatcher": "33",
    "provider": "90",
    "mail": "90",
}
_WIDTH = max(map(len, _COLOURS)) + 2


class Console:
    """Writes to standard output, or elsewhere when standard output belongs to an answer (`verify --json`)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colours = self._stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, part: str, words: str) -> None:
        name = part.ljust(_WIDTH)
        if self._colours:
            name = f"\x1b[{_COLOURS.get(part, '0')}m{name}\x1b[0m"
        self._line(name + words)

    def ready(self, url: str) -> None:
        """The one line that others wait for; never coloured, never decorated."""
        self._line(f"ready  {url}")

    def _line(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except (BrokenPipeError, ValueError):
            # The terminal is gone; the parts must still be stopped in order.
            self._stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - it lives as long as we do

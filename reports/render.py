"""HTML into PDF bytes, the same bytes for the same HTML, with no way out to files or the network.

WeasyPrint is imported inside the functions: it costs a second and 60 MB, and only the document worker renders.
"""

import gc
import logging
import os
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Literal

from reports.pages import TEMPLATES

Variant = Literal["pdf/ua-1"]

_EPOCH = "1704067200"
# WeasyPrint copies the fonts into the temporary folder, where a cleaner may come by, and remembers every style it met.
_DESK_SECONDS = 3600


def pdf(html: str, *, variant: Variant | None = "pdf/ua-1") -> bytes:
    """The document as PDF; tagged and PDF/UA-1 unless `variant` is None (plain, for long finance tables).

    Nothing the HTML names is ever fetched; only our own stylesheet may read our own font files.
    """
    with _collector.resting():
        desk = _own_desk()
        page = desk.engine.HTML(string=html, url_fetcher=desk.nothing)
        content: bytes = page.write_pdf(stylesheets=[desk.sheet], font_config=desk.fonts, pdf_variant=variant)
    return content


class _Desk:
    """The stylesheet read and its fonts loaded: a third of a short paper's time, the same for each."""

    def __init__(self) -> None:
        self.engine = _weasyprint()
        self.fonts = self.engine.text.fonts.FontConfiguration()
        self.nothing = self.engine.urls.URLFetcher(allowed_protocols=frozenset())
        ours = self.engine.urls.URLFetcher(allowed_protocols={"file"})
        self.sheet = self.engine.CSS(filename=TEMPLATES / "print.css", url_fetcher=ours, font_config=self.fonts)
        self.stale_at = time.monotonic() + _DESK_SECONDS


class _Desks(threading.local):
    """One desk a thread: Pango's font map is not safe to share between threads."""

    desk: _Desk | None = None


_desks = _Desks()


def _own_desk() -> _Desk:
    if _desks.desk is None or time.monotonic() > _desks.desk.stale_at:
        _desks.desk = _Desk()
    return _desks.desk


@cache
def _weasyprint() -> ModuleType:
    """WeasyPrint, without its wish for a library that few servers have: fonts are embedded the same, a little slower."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="HarfBuzz-Subset", category=DeprecationWarning)
        import weasyprint
    # fontTools writes the time of day into each embedded font unless this, the reproducible builds' variable, is set.
    os.environ.setdefault("SOURCE_DATE_EPOCH", _EPOCH)
    logging.getLogger("weasyprint").addFilter(lambda record: "HarfBuzz-Subset" not in record.getMessage())
    engine: ModuleType = weasyprint
    return engine


class _Collector:
    """The cyclic collector, kept still while anything renders: a layout is one big live graph, and walking it again
    and again takes a third of the time. Several renders may overlap in one process; the last one out wakes it, and
    sweeps up what came into being meanwhile: all of that is still of the youngest generation.
    """

    def __init__(self) -> None:
        self._renders = 0
        self._lock = threading.Lock()

    @contextmanager
    def resting(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, step: int) -> None:
        with self._lock:
            self._renders += step
            if self._renders:
                gc.disable()
            else:
                gc.enable()
                gc.collect(0)


_collector = _Collector()

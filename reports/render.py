"""HTML into PDF bytes, the same bytes for the same HTML, with no way out to files or the network.

WeasyPrint is imported inside the functions: it costs a second and 60 MB, and only the document worker renders.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from reports.pages import TEMPLATES

Variant = Literal["pdf/ua-1"]


def pdf(html: str, *, variant: Variant | None = "pdf/ua-1") -> bytes:
    """The document as PDF; tagged and PDF/UA-1 unless `variant` is None (plain, for long finance tables).

    Nothing the HTML names is ever fetched; only our own stylesheet may read our own font files.
    """
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    # A font configuration of its own per render: Pango's font map is not safe to share between threads.
    fonts = FontConfiguration()
    with _collector.resting():
        sheet = CSS(
            filename=TEMPLATES / "print.css", url_fetcher=URLFetcher(allowed_protocols={"file"}), font_config=fonts
        )
        page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols=frozenset()))
        content: bytes = page.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant=variant)
    return content


class _Collector:
    """The cyclic collector, kept still while anything renders: a layout is one big live graph, and walking it again
    and again takes a third of the time. Several renders may overlap in one process; the last one out wakes it.
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
                gc.collect()


_collector = _Collector()

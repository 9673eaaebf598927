"""A ticket's code as a square of modules, drawn as SVG into the page."""

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Empty modules on every side, as the QR standard asks."""


def qr_svg(code: str, *, title: str) -> Markup:
    """An SVG element with the QR code of `code` and its quiet zone, of no fixed size; `title` is read aloud.

    Raises `ValueError` for an empty code: a blank square would look like a ticket.
    """
    if not code:
        raise ValueError("a ticket without a code has no QR")
    symbol = segno.make(code, error="m", micro=False)
    svg = symbol.svg_inline(border=QUIET_ZONE, omitsize=True, title=title, svgclass="qr", lineclass=None, dark="#000")
    return Markup(svg)  # noqa: S704 -- segno escapes the title, and the code itself becomes squares.

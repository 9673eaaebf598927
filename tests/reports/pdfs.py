"""Reading a PDF back as a reader sees it: the words, where they stand, and the dots of ink."""

import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import pypdf
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image

MILLIMETRE = 72 / 25.4
_SLACK = 0.6


@dataclass(frozen=True)
class Box:
    """A run of text on one line, in points from the lower left corner."""

    text: str
    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: "Box") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        along = min(self.top, other.top) - max(self.bottom, other.bottom)
        return across > _SLACK and along > _SLACK


@dataclass(frozen=True)
class Page:
    """One page: its size in points, its text in reading order, its boxes."""

    width: float
    height: float
    text: str
    boxes: tuple[Box, ...]

    def outside(self, *, margin: float, above: float) -> list[Box]:
        """The boxes that reach into the white at the sides (`margin`) or at top and bottom (`above`)."""
        right, top = self.width - margin, self.height - above
        return [b for b in self.boxes if b.left < margin or b.right > right or b.bottom < above or b.top > top]

    def overlapping(self) -> list[tuple[Box, Box]]:
        """Pairs of boxes printed over each other."""
        pairs = ((a, b) for at, a in enumerate(self.boxes) for b in self.boxes[at + 1 :])
        return [(a, b) for a, b in pairs if a.overlaps(b)]


@cache
def pages(content: bytes) -> tuple[Page, ...]:
    document = pypdfium2.PdfDocument(content)
    return tuple(_page(document[at]) for at in range(len(document)))


def words(content: bytes) -> str:
    """All the text on one line, any blank as a plain one."""
    return " ".join(" ".join(page.text for page in pages(content)).split())


def reader(content: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(content))


def catalog(content: bytes) -> Any:
    """The document's root: language, tags, metadata."""
    return reader(content).trailer["/Root"]


def fonts(content: bytes) -> set[str]:
    """The names of the embedded fonts, without their subset tag."""
    found: set[str] = set()
    for page in reader(content).pages:
        resources: Any = page["/Resources"]
        found |= {str(font.get_object()["/BaseFont"]).split("+")[-1] for font in resources["/Font"].values()}
    return found


def picture(content: bytes, *, page: int = 0, dots_per_point: float = 4) -> Image.Image:
    """The page in shades of grey."""
    image: Image.Image = pypdfium2.PdfDocument(content)[page].render(scale=dots_per_point).to_pil()
    return image.convert("L")


def _page(page: pypdfium2.PdfPage) -> Page:
    width, height = page.get_size()
    text = page.get_textpage()
    rects = [text.get_rect(at) for at in range(text.count_rects())]
    boxes = tuple(Box(text.get_text_bounded(*rect), *rect) for rect in rects)
    return Page(width=width, height=height, text=text.get_text_range(), boxes=tuple(b for b in boxes if b.text.strip()))

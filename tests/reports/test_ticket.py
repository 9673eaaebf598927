"""The ticket: one page each, the place big, and a code that a scanner reads."""

from dataclasses import replace

import pytest
import segno
from PIL import Image

from reports.codes import QUIET_ZONE, qr_svg
from reports.press import tickets_pdf
from tests.reports import pdfs
from tests.reports.samples import AS_OF, BARCODE, HOSTILE, a_ticket, called

DOTS = 8
MODULES = segno.make(BARCODE, error="m", micro=False).matrix


def ticket_picture() -> Image.Image:
    return pdfs.picture(tickets_pdf([a_ticket()], made_at=AS_OF), dots_per_point=DOTS)


def the_code(picture: Image.Image) -> tuple[int, int, int]:
    """Left, top and width in dots of the code: the only ink on the page that is quite black."""
    box = picture.point([255] * 8 + [0] * 248).getbbox()
    assert box is not None
    left, top, right, bottom = box
    assert abs((right - left) - (bottom - top)) <= 2
    return left, top, right - left


def test_the_printed_code_is_the_barcodes_own() -> None:
    picture = ticket_picture()
    left, top, width = the_code(picture)

    square = picture.crop((left, top, left + width, top + width)).resize((len(MODULES) * 9,) * 2)
    dots = square.tobytes()
    middle = range(4, square.width, 9)

    assert [[int(dots[y * square.width + x] < 128) for x in middle] for y in middle] == [list(row) for row in MODULES]


def test_the_code_is_at_least_thirty_millimetres_with_four_empty_modules_around() -> None:
    picture = ticket_picture()
    left, top, width = the_code(picture)
    quiet = QUIET_ZONE * width / len(MODULES) - 2

    around = picture.crop((int(left - quiet), int(top - quiet), int(left + width + quiet), int(top + width + quiet)))
    around.paste(255, (int(quiet) - 1, int(quiet) - 1, int(quiet) + width + 2, int(quiet) + width + 2))

    assert width / DOTS / pdfs.MILLIMETRE >= 30
    assert around.getextrema() == (255, 255)


@pytest.mark.parametrize("barcode", ["7QK4M2XW9RTCVH0D", BARCODE, BARCODE * 5])
def test_a_longer_code_still_has_its_quiet_zone(barcode: str) -> None:
    svg = qr_svg(barcode, title="Code")

    side = len(segno.make(barcode, error="m", micro=False).matrix)
    assert f'viewBox="0 0 {side + 2 * QUIET_ZONE} {side + 2 * QUIET_ZONE}"' in svg


def test_a_ticket_without_a_code_is_not_printed() -> None:
    with pytest.raises(ValueError, match="without a code"):
        tickets_pdf([replace(a_ticket(), barcode="")], made_at=AS_OF)


def test_no_ticket_is_not_a_document() -> None:
    with pytest.raises(ValueError, match="no ticket"):
        tickets_pdf([], made_at=AS_OF)


def test_each_ticket_has_a_page_of_its_own() -> None:
    tickets = [a_ticket(number=f"TK-2026-0118{at}", seat=str(at)) for at in range(8)]

    pages = pdfs.pages(tickets_pdf(tickets, made_at=AS_OF))

    assert [f"Ticket {ticket.number}" in page.text for ticket, page in zip(tickets, pages, strict=True)] == [True] * 8


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_needs_a_second_page(name: str) -> None:
    label = name[:40]
    ticket = replace(a_ticket(event=called(name)), section=label, row=label, seat=label, holder=name, seat_type=name)

    assert len(pdfs.pages(tickets_pdf([ticket], made_at=AS_OF))) == 1


def test_it_says_when_where_and_who_in_the_venues_own_time() -> None:
    said = pdfs.words(tickets_pdf([a_ticket()], made_at=AS_OF))

    assert "Saturday, 16 January 2027 19:30" in said
    assert "Central European Standard Time (Europe/Berlin)" in said
    assert "Stadthalle, Großer Saal Südring 90, 18059 Rostock" in said
    assert "Section Parkett Row C Seat 12A" in said
    assert "Ada Grønnegård" in said
    assert "69,00 €" in said
    assert BARCODE in said


def test_the_seat_is_the_biggest_word_on_the_page() -> None:
    (page,) = pdfs.pages(tickets_pdf([a_ticket()], made_at=AS_OF))

    biggest = max(page.boxes, key=lambda box: box.top - box.bottom)

    assert biggest.text.strip() in {"Parkett", "C", "12A"}


def test_without_a_row_only_section_and_seat_are_named() -> None:
    said = pdfs.words(tickets_pdf([replace(a_ticket(), row="", section="Standing", seat="214")], made_at=AS_OF))

    assert "Section Standing Seat 214" in said


def test_a_hidden_price_is_not_printed() -> None:
    said = pdfs.words(tickets_pdf([replace(a_ticket(), price=None)], made_at=AS_OF))

    assert "Price" not in said

"""What every paper keeps to: inside the page, numbered, in our own letters, the same bytes each time, deaf to its names."""

import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Self

import httpx2
import pytest
from jinja2 import UndefinedError

from domain.money import Money
from reports import pages, press, render, report_page
from tests.reports import pdfs, samples
from tests.reports.samples import HOSTILE, NORTHSIDE

ROOT = Path(__file__).resolve().parents[2]


def order_called(name: str) -> bytes:
    issuer = replace(NORTHSIDE, name=name, address=(name,), email=name)
    supplier = replace(samples.MUELLER, name=name, contact_person=name)
    order = samples.an_order(event=samples.called(name), issuer=issuer)
    return press.purchase_order_pdf(replace(order, supplier=supplier, notes=name, reference=name, authorised_by=name))


def receipt_called(name: str) -> bytes:
    label = name[:40]
    receipt = samples.a_receipt(event=samples.called(name), seats=((label, label, label),))
    supplier = replace(samples.MUELLER, name=name, contact_person=name)
    return press.receipt_pdf(replace(receipt, supplier=supplier, received_by=name, delivery_reference=name))


def ticket_called(name: str) -> bytes:
    label = name[:40]
    ticket = replace(samples.a_ticket(event=samples.called(name)), section=label, row=label, seat=label, holder=name)
    issuer = replace(NORTHSIDE, name=name, email=name)
    return press.tickets_pdf([replace(ticket, issuer=issuer)], made_at=samples.AS_OF)


def report_called(name: str) -> bytes:
    return report_page.to_pdf(samples.a_profit_report(label=name), issuer=replace(NORTHSIDE, name=name))


PAPERS: dict[str, Callable[[str], bytes]] = {
    "Purchase order": order_called,
    "Delivery receipt": receipt_called,
    "Tickets": ticket_called,
    "Profit by event": report_called,
}
every_paper = pytest.mark.parametrize("title", PAPERS)


@every_paper
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_pushes_a_word_out_of_the_page_or_over_another(title: str, name: str) -> None:
    content = PAPERS[title](name)

    for page in pdfs.pages(content):
        margin = 11.5 if page.width > page.height else 16.5
        assert page.outside(margin=margin * pdfs.MILLIMETRE, above=8 * pdfs.MILLIMETRE) == []
        assert page.overlapping() == []


@every_paper
def test_markup_in_a_name_is_printed_as_it_was_typed(title: str) -> None:
    content = PAPERS[title]("<b>{{ 7 * 7 }}</b>")

    assert "<b>{{ 7 * 7 }}</b>" in pdfs.words(content)
    assert pdfs.reader(content).attachments == {}


@every_paper
def test_each_page_says_which_of_how_many_it_is(title: str) -> None:
    content = PAPERS[title]("Eine lange Festvorstellung " * 12)

    pages = pdfs.pages(content)

    assert [f"Page {at} of {len(pages)}" in page.text for at, page in enumerate(pages, start=1)] == [True] * len(pages)


@every_paper
def test_the_document_names_its_title_its_author_and_its_language(title: str) -> None:
    content = PAPERS[title]("Northside")

    metadata = pdfs.reader(content).metadata

    assert metadata is not None
    assert str(metadata.title).startswith(title)
    assert str(metadata.author).startswith("Northside")
    assert pdfs.catalog(content)["/Lang"] == "en-DE"


@pytest.mark.parametrize("title", ["Purchase order", "Delivery receipt", "Tickets"])
def test_what_goes_to_others_is_tagged_and_declares_pdf_ua(title: str) -> None:
    catalog = pdfs.catalog(PAPERS[title]("Northside"))

    assert catalog["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalog
    assert b"pdfuaid:part" in catalog["/Metadata"].get_data()


@every_paper
def test_only_the_bundled_family_is_used(title: str) -> None:
    content = PAPERS[title]("Grönland, Łódź, Ångström, 99,50 €")

    assert {font.startswith("Allotment-Sans") for font in pdfs.fonts(content)} == {True}


@every_paper
def test_the_same_facts_give_the_same_bytes(title: str) -> None:
    assert PAPERS[title]("Die Zauberflöte") == PAPERS[title]("Die Zauberflöte")


@every_paper
def test_another_process_gives_the_same_bytes(title: str, tmp_path: Path) -> None:
    script = (
        "import sys; from tests.reports.test_papers import PAPERS; "
        "sys.stdout.buffer.write(PAPERS[sys.argv[1]]('Die Zauberflöte'))"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C.UTF-8",
    }

    there = subprocess.run(
        [sys.executable, "-c", script, title],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=True,
        timeout=120,
    )

    assert there.stdout == PAPERS[title]("Die Zauberflöte")


def test_renders_side_by_side_do_not_disturb_each_other() -> None:
    alone = {title: paper("Die Zauberflöte") for title, paper in PAPERS.items()}

    with ThreadPoolExecutor(max_workers=4) as pool:
        together = dict(zip(PAPERS, pool.map(lambda paper: paper("Die Zauberflöte"), PAPERS.values()), strict=True))

    assert together == alone
    assert gc.isenabled()


def test_a_fact_that_is_missing_or_nothing_is_not_printed_as_such() -> None:
    with pytest.raises(UndefinedError):
        pages.html("letter.html", issuer=NORTHSIDE)
    with pytest.raises(ValueError, match="print nothing"):
        press.purchase_order_pdf(replace(samples.an_order(), number=None))  # type: ignore[arg-type]


def test_nothing_that_html_names_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the crown jewels")
    with Canary() as canary:
        html = f"""<html lang="en"><head><title>x</title>
            <link rel="attachment" href="{secret.as_uri()}"><link rel="stylesheet" href="{canary.url}/a.css">
            <style>@import url({canary.url}/b.css); p {{ background: url({canary.url}/c.png) }}</style></head>
            <body><p>Hello</p><img alt="" src="{secret.as_uri()}"><img alt="" src="{canary.url}/d.png">
            <object data="{canary.url}/e.svg"></object>
            <svg xmlns="http://www.w3.org/2000/svg"><image href="{canary.url}/f.png" width="9" height="9"/></svg></body></html>"""

        content = render.pdf(html)
        httpx2.get(canary.url)  # A visit that must be seen, or the listener proves nothing.

    assert canary.visits == 1
    assert pdfs.reader(content).attachments == {}
    assert b"crown jewels" not in content
    assert "Hello" in pdfs.words(content)


@pytest.mark.parametrize("mark", ["DRAFT", "CANCELLED"])
def test_an_order_that_is_no_order_says_so_on_every_page(mark: str) -> None:
    content = press.purchase_order_pdf(replace(samples.an_order(lines=30), mark=mark))

    pages = pdfs.pages(content)

    assert len(pages) > 1
    assert all(mark in page.text for page in pages)


def test_a_long_order_repeats_its_head_and_keeps_its_total_with_a_line() -> None:
    order = samples.an_order(lines=40)

    pages = pdfs.pages(press.purchase_order_pdf(order))

    with_lines = [page for page in pages if "Parkett, rows A to K" in page.text]
    assert len(with_lines) > 1
    assert all("Unit price" in page.text for page in with_lines)
    (totalled,) = [page for page in pages if "Order total" in page.text]
    assert totalled in with_lines
    assert order.issuer.words.money(order.total) in pdfs.words(press.purchase_order_pdf(order)).replace(" €", "\u00a0€")


def test_an_american_agency_writes_as_americans_do() -> None:
    order = samples.an_order(lines=1, issuer=samples.HARBOUR)
    dollars = replace(order.lines[0], total=Money.of("18416.65", "USD"))

    said = pdfs.words(press.purchase_order_pdf(replace(order, lines=(dollars,), total=dollars.total)))

    assert "$18,416.65" in said
    assert "November 3, 2026" in said


class Canary:
    """A listener that counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.recv(4096)
            visitor.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")
            visitor.close()

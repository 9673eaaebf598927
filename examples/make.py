"""Makes the example files that are too long to write by hand: the halls, one supplier's seat list, customers and bookings."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).parent
BOM = "\ufeff"
SEED = 20_261_121

Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file of lines as some spreadsheet wrote it."""

    header: Row
    rows: Sequence[Row]
    separator: str = ","
    line_end: str = "\n"
    bom: bool = False

    def text(self) -> str:
        """What the file says; with semicolons goes the decimal comma, which the rows already have."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.separator, lineterminator=self.line_end)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return (BOM if self.bom else "") + out.getvalue()


def comma(number: Decimal | float | str) -> str:
    """As German spreadsheets write it."""
    return str(number).replace(".", ",")


# The halls.

PARKETT_ROWS = "ABCDEFGHJKLMNOPQRSTUVW"
"""No row I, which people read as 1."""
RANG_ROWS = ("A", "Ä", "B", "C", "D", "E", "F", "G")


def great_hall() -> Table:
    """2,043 seats with all that real halls have: aisles, folding seats, boxes, wheelchair places, leading zeros."""
    rows = [*_parkett(), *_wheelchairs(), *_rang(), *_empore(), *_boxes()]
    return Table(("section", "row", "seat", "seat_type", "x", "y"), rows)


def _parkett() -> Iterator[Row]:
    """Left of the aisle 1 to 22, right of it 25 to 46: the numbers 23 and 24 are the aisle's."""
    for depth, row in enumerate(PARKETT_ROWS):
        for seat in (*range(1, 23), *range(25, 47)):
            yield "Parkett", row, str(seat), "STANDARD", f"{seat * 0.55:.2f}", f"{6 + depth * 0.95:.2f}"
            if seat == 12 and row in "ABC":  # noqa: PLR2004 -- the folding seat beside it
                yield "Parkett", row, "12A", "FOLDING", f"{seat * 0.55 + 0.3:.2f}", f"{6 + depth * 0.95:.2f}"


def _wheelchairs() -> Iterator[Row]:
    for place in range(1, 13):
        x = f"{place * 1.6:.2f}"
        yield "Parkett", "X", f"W{place}", "WHEELCHAIR", x, "27.50"
        yield "Parkett", "X", f"B{place}", "COMPANION", x, "28.40"


def _rang() -> Iterator[Row]:
    for depth, row in enumerate(RANG_ROWS):
        for seat in range(1, 37):
            yield "Rang Mitte", row, str(seat), "STANDARD", f"{3 + seat * 0.55:.2f}", f"{31 + depth * 0.95:.2f}"
    for side, offset in (("Rang links", -8.0), ("Rang rechts", 27.0)):
        for depth, row in enumerate("ABCDEF"):
            for seat in range(1, 25):
                yield side, row, str(seat), "STANDARD", f"{offset + depth * 0.9:.2f}", f"{8 + seat * 0.6:.2f}"


def _empore() -> Iterator[Row]:
    for depth in range(1, 11):
        for seat in range(1, 41):
            yield "Empore", str(depth), f"{seat:03d}", "STANDARD", f"{2 + seat * 0.55:.2f}", f"{40 + depth * 0.95:.2f}"


def _boxes() -> Iterator[Row]:
    for box in range(1, 13):
        for place, seat in enumerate(("1", "2", "3", "4", "5", "12A" if box == 7 else "6")):  # noqa: PLR2004
            x, y = -12 + (box % 2) * 48 + place * 0.7, 5 + box * 1.8
            yield f"Loge {box}", "1", seat, "BOX", f"{x:.2f}", f"{y:.2f}"


def playhouse() -> Table:
    """310 seats as the theatre's own spreadsheet saved them: semicolons, BOM, decimal comma, CRLF."""
    stalls = [
        ("Saal", str(row), str(seat), "STANDARD", comma(f"{seat * 0.52:.2f}"), comma(f"{4 + row * 0.9:.2f}"))
        for row in range(1, 16)
        for seat in range(1, 19)
    ]
    balcony = [
        ("Balkon", str(row), str(seat), "STANDARD", comma(f"{seat * 0.5 - 0.5:.2f}"), comma(f"{19 + row * 0.9:.2f}"))
        for row in (1, 2)
        for seat in range(1, 21)
    ]
    header = ("section", "row", "seat", "seat_type", "x", "y")
    return Table(header, stalls + balcony, separator=";", line_end="\r\n", bom=True)


def cellar() -> Table:
    """78 places at tables and at the bar, without a plan."""
    tables = [("Tische", str(table), seat) for table in range(1, 17) for seat in "abcd"]
    return Table(("section", "row", "seat"), tables + [("Bar", "Theke", str(stool)) for stool in range(1, 15)])


def polar_delivery() -> Table:
    """The promoter's export of 220 seats, with the agreed price and the price printed on the voucher."""
    rows = [
        ("1", "Parkett", row, str(seat), comma("31.2000"), comma("54.90" if row in "JKL" else "49.90"))
        for row in "JKLMN"
        for seat in (*range(1, 23), *range(25, 47))
    ]
    header = ("line", "section", "row", "seat", "unit_price", "retail_price")
    return Table(header, rows, separator=";", line_end="\r\n", bom=True)


# Customers and their bookings.


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN = _words(
    "Erika Jürgen Aylin Björn Chloé Dmitri Edda Fatma Goran Hannah Ibrahim Jolanta Klaus Lena Mehmet Nora Oskar Paula "
    "Quirin Rosa Søren Theresa Ulrich Veronika Wolfgang Xenia Yusuf Zoë Anselm Birte"
)
FAMILY = _words(
    "Muster Größl Şahin Sørensen Dupont Iwanow Schröder Öztürk Novak Weiß Al-Khatib Kowalska Müller Fuchs Demir "
    "Lindqvist Bauer Szabó Vogel Brandão Nguyen Hofmann Petrović Krüger Lange O'Neill Sauer Thieme Voß Winter"
)
COMPANIES = (
    "Chor der Stadtwerke",
    "Reisebüro Sonnenklar GmbH",
    "Gymnasium am Markt, Klasse 10b",
    "Freundeskreis der Philharmonie e.V.",
    "Kanzlei Sauer & Thieme",
    "Kita Regenbogen",
)
CUSTOMERS = 150
PLAIN = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "é": "e", "ë": "e", "ş": "s", "ã": "a", "ó": "o", "ć": "c"}
)


def customers(chance: random.Random) -> Table:
    """150 people, some of whom are choirs, schools and travel agents."""
    names = chance.sample([(given, family) for given in GIVEN for family in FAMILY], CUSTOMERS - len(COMPANIES))
    people = [
        (f"{given} {family}", f"{_address(given)}.{_address(family)}@post.example", _phone(chance), "INDIVIDUAL")
        for given, family in names
    ]
    groups = [(name, f"karten@{_address(name)[:24]}.example", _phone(chance), "CORPORATE") for name in COMPANIES]
    return Table(("name", "email", "phone", "customer_type"), chance.sample(people + groups, CUSTOMERS))


def _address(name: str) -> str:
    plain = name.lower().translate(PLAIN)
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())


def _phone(chance: random.Random) -> str:
    return f"+49 341 {chance.randrange(1_000_000, 9_999_999)}"


EVENTS = {"neujahr": 103, "polar": 115, "messias": 86, "faust": 52, "hotzenplotz": 22, "trio": 22}
"""How many of the 400 bookings each event gets."""
STORIES = {
    "declined_then_ok": 26,
    "no_funds": 4,
    "abandoned": 26,
    "released": 8,
    "unknown_then_ok": 8,
    "unknown_then_failed": 5,
    "late": 4,
    "late_taken": 4,
    "takes_over": 4,
    "capture_fails": 6,
    "cancelled_in_part": 30,
    "cancelled_in_full": 16,
    "refund_fails_once": 6,
    "slow": 5,
}
"""How many bookings go another way than to be paid and kept."""
CARDS = {
    "declined_then_ok": "tok_declined",
    "no_funds": "tok_insufficient_funds",
    "abandoned": "",
    "released": "",
    "unknown_then_ok": "tok_unknown_then_ok",
    "unknown_then_failed": "tok_unknown_then_failed",
    "late": "tok_late_90000",
    "late_taken": "tok_late_90000",
    "capture_fails": "tok_capture_fails",
    "refund_fails_once": "tok_refund_fails_once",
    "slow": "tok_slow_1200",
}
GREAT = ("neujahr", "polar", "messias")
OVER_TODAY = "hotzenplotz"
LATE = ("late", "late_taken")
WAITED_FOR = ("abandoned", "no_funds", "unknown_then_failed")
EARLY = 0.5
"""Baskets that only end when their time is over come in the first half of the day, so that the evening is short."""


@dataclass
class Basket:
    """One booking to be."""

    event: str
    seats: int
    story: str = "kept"
    takes_over: str = ""


def bookings(chance: random.Random, emails: Sequence[str]) -> Table:
    """400 baskets in the order in which people come; those whose money is late come first, so that it can be late."""
    baskets = [
        Basket(event, chance.choices((1, 2, 3, 4, 6), (22, 46, 14, 15, 3))[0])
        for event, number in EVENTS.items()
        for _ in range(number)
    ]
    for story, number in STORIES.items():
        for basket in chance.sample([one for one in baskets if _may(one, story)], number):
            basket.story = story
    places = {id(one): chance.random() * (EARLY if one.story in WAITED_FOR else 1) for one in baskets}
    baskets.sort(key=lambda one: (one.story not in LATE, one.event != OVER_TODAY, places[id(one)]))
    _pair_up(baskets)
    return Table(
        ("number", "customer", "event", "seats", "card", "story", "takes_over"), _lines(baskets, chance, emails)
    )


def _may(basket: Basket, story: str) -> bool:
    """Whether the basket can still go this way: late money needs a large hall, part of one seat is no part."""
    if basket.story != "kept":
        return False
    if story in (*LATE, "takes_over"):
        return basket.event in GREAT and basket.seats <= 3  # noqa: PLR2004 -- few seats are kept aside
    if basket.event == OVER_TODAY:
        return story in ("declined_then_ok", "abandoned", "slow")
    return story != "cancelled_in_part" or basket.seats > 1


def _pair_up(baskets: Sequence[Basket]) -> None:
    """Who takes over wants exactly what the latecomer lost."""
    lost = [(f"B{number:03d}", one) for number, one in enumerate(baskets, 1) if one.story == "late_taken"]
    takers = (one for one in baskets if one.story == "takes_over")
    for (number, loser), taker in zip(lost, takers, strict=True):
        taker.event, taker.seats, taker.takes_over = loser.event, loser.seats, number


def _lines(baskets: Sequence[Basket], chance: random.Random, emails: Sequence[str]) -> Sequence[Row]:
    regulars = chance.sample(emails, 40)
    lines = []
    for number, basket in enumerate(baskets, 1):
        email = chance.choice(regulars) if chance.random() < 0.35 else emails[number % len(emails)]  # noqa: PLR2004
        card = CARDS.get(basket.story, "tok_ok")
        lines.append((f"B{number:03d}", email, basket.event, str(basket.seats), card, basket.story, basket.takes_over))
    return lines


def files() -> dict[str, str]:
    """Every made file's text by its path below examples/; the same on every machine and every day."""
    chance = random.Random(SEED)
    people = customers(chance)
    emails = [row[1] for row in people.rows]
    tables = {
        "venues/grosse-halle.csv": great_hall(),
        "venues/kammerspiele.csv": playhouse(),
        "venues/jazzkeller.csv": cellar(),
        "deliveries/NL-2026-1187.csv": polar_delivery(),
        "customers.csv": people,
        "bookings.csv": bookings(chance, emails),
    }
    return {path: table.text() for path, table in tables.items()}


def main() -> None:
    """Writes them, byte for byte as they are committed."""
    for path, text in files().items():
        (HERE / path).write_bytes(text.encode())


if __name__ == "__main__":
    main()

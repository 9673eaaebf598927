"""How a paper says money, counts, dates and trade terms: English words, the numbers and dates of the agency's country."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone, get_timezone_name
from babel.localedata import exists
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)

from domain.money import Money

_FULFILMENT = {
    "ELECTRONIC_TRANSFER": "Electronic transfer to our account",
    "MOBILE_TRANSFER": "Mobile transfer to our account",
    "PDF_DELIVERY": "PDF tickets by e-mail",
    "WILL_CALL": "Will call, picked up at the venue",
    "PAPER_SHIPMENT": "Paper tickets by post",
}
# Letters that reorder the text after them: harmless in a sentence, a forgery in a seller's name.
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NOTHING = "\u2013"
# Every blank but those that hold a number and its sign together.
_BLANKS = re.compile("[^\\S\u00a0\u202f]+")


def locale_for(timezone: str) -> str:
    """The CLDR locale whose words are English and whose numbers are of the zone's country: en_DE, en_US.

    A zone of no country, or a country without English conventions, falls back to European (en_150) or plain English.
    """
    territory = get_global("zone_territories").get(timezone, "001")
    for candidate in (f"en_{territory}", "en_150" if timezone.startswith("Europe/") else "en"):
        if exists(candidate):
            return candidate
    return "en"


def clean(text: str) -> str:
    """The text as it may be printed or put in a mail header: no control or direction-override characters, accents composed."""
    kept = (c for c in text if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _BIDI_CONTROLS))
    return unicodedata.normalize("NFC", "".join(kept))


def one_line(text: str, *, limit: int = 200) -> str:
    """The text on one line of at most `limit` characters, ending in an ellipsis when something was cut."""
    flat = _BLANKS.sub(" ", clean(text)).strip()
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "\u2026"


def terms(code: str) -> str:
    """Payment terms in words (seed 004: IMMEDIATE, NET_30, NET_60; accounting.md: calendar days from the bill's date)."""
    if code == "IMMEDIATE":
        return "Payable immediately on each delivery"
    days = code.removeprefix("NET_")
    if code.startswith("NET_") and days.isdigit():
        return f"Net {int(days)}: each delivery is payable within {int(days)} calendar days of its date"
    return code.replace("_", " ").capitalize()


def fulfilment(code: str) -> str:
    """How the tickets reach us, in words (seed 004's fulfilment methods)."""
    return _FULFILMENT.get(code, code.replace("_", " ").capitalize())


@dataclass(frozen=True)
class Words:
    """One agency's way of writing: `locale` is a CLDR name, `timezone` an IANA zone, `currency` an ISO 4217 code."""

    locale: str
    timezone: str
    currency: str

    def money(self, value: Money | None) -> str:
        """An amount with its currency sign, or a dash for none."""
        if value is None:
            return _NOTHING
        return format_currency(value.amount, value.currency, locale=self.locale)

    def amount(self, value: Decimal | None) -> str:
        """A bare amount in the paper's currency, for columns whose heading names it."""
        if value is None:
            return _NOTHING
        return format_currency(value, self.currency, locale=self.locale, format="#,##0.00")

    def unit_price(self, value: Decimal) -> str:
        """A price per seat, with up to the four decimals that were agreed."""
        digits = max(get_currency_precision(self.currency), min(4, -int(value.normalize().as_tuple().exponent)))
        return format_decimal(value, format=f"#,##0.{'0' * digits}", locale=self.locale)

    def count(self, value: int | None) -> str:
        """A whole number with thousands marks, or a dash for none."""
        return _NOTHING if value is None else format_decimal(value, locale=self.locale)

    def percent(self, value: Decimal | None) -> str:
        """A ratio as a percentage with one decimal, or a dash for none."""
        return _NOTHING if value is None else format_percent(value, format="#,##0.0%", locale=self.locale)

    def day(self, value: date | None) -> str:
        """A calendar day in words, or a dash for none."""
        return _NOTHING if value is None else format_date(value, "long", locale=self.locale)

    def local_day(self, value: datetime) -> date:
        """The agency's calendar day of an instant."""
        return _in(value, self.timezone).date()

    def short_day(self, value: datetime, *, zone: str | None = None) -> str:
        """The weekday and day of an instant, short enough for a table."""
        return format_skeleton("yMMMEd", value, get_timezone(zone or self.timezone), locale=self.locale)

    def full_day(self, value: datetime, *, zone: str | None = None) -> str:
        """The weekday, day, month and year of an instant where it happens."""
        return format_date(_in(value, zone or self.timezone), "full", locale=self.locale)

    def clock(self, value: datetime, *, zone: str | None = None) -> str:
        """The time of day of an instant where it happens."""
        return format_time(value, "short", tzinfo=get_timezone(zone or self.timezone), locale=self.locale)

    def zone_name(self, value: datetime, *, zone: str | None = None) -> str:
        """The zone's name at that instant: Central European Standard Time."""
        return get_timezone_name(_in(value, zone or self.timezone), width="long", locale=self.locale)

    def moment(self, value: datetime | None, *, zone: str | None = None) -> str:
        """Day, time and zone of an instant, or a dash for none."""
        if value is None:
            return _NOTHING
        place = zone or self.timezone
        return f"{self.day(_in(value, place).date())}, {self.clock(value, zone=place)} ({place})"


def instant(value: datetime) -> str:
    """RFC 3339 in UTC, with the fraction only when there is one."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def language(locale: str) -> str:
    """The BCP 47 tag of a locale, for a document's language: en-DE."""
    return str(Locale.parse(locale)).replace("_", "-")


def _in(value: datetime, zone: str) -> datetime:
    return value.astimezone(get_timezone(zone))

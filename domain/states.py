"""What a thing may do next, as one table per thing, and how a rule says no.

Every refusal of the house is a `Refused` with a stable code. The tree of codes, by the street that raises them:

    Refused
    ├── any street
    │   ├── wrong_state             the thing's status has no such arrow
    │   └── invalid                 fields, amounts or lines of a file are wrong; `errors` names each
    ├── money
    │   └── currency_not_supported  not in use by ISO 4217 (BadMoney), or two in one sum (MixedCurrencies)
    ├── labels, selectors
    │   ├── invalid_label           empty, too long, or with characters that selectors need
    │   ├── invalid_selector        unparsable, backward, or naming too many seats
    │   ├── no_such_seat            a named section, row or seat does not exist
    │   └── duplicate_seat          the same seat twice
    ├── purchasing
    │   └── nothing_confirmed       every line of a confirmation is 0
    ├── receiving
    │   ├── not_receivable          the order is neither confirmed nor partially received
    │   ├── price_mismatch          a delivery file's unit price is not the order line's
    │   ├── over_delivery           more than the line has open
    │   └── block_too_small         the block has fewer free seats than asked for
    ├── payables
    │   ├── overpayment             more than is open
    │   └── nothing_to_pay          nothing is open and no advance is possible
    ├── seating
    │   └── not_on_sale             the event's sales are not open
    ├── booking
    │   ├── already_paid            the booking has been paid
    │   ├── booking_ended           the booking was cancelled or refunded
    │   ├── reservation_expired     its time is over
    │   └── payment_in_progress     another payment is on its way
    ├── refunds
    │   ├── too_late                the policy's deadline is over
    │   ├── ticket_not_valid        a ticket that is not confirmed
    │   └── quote_stale             the numbers quoted are no longer the numbers due
    └── access
        └── unknown_scope           no such permission

Lines of files and fields have finer codes of their own in their Faults (`wrong_columns`, `not_a_number` ...).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from typing_extensions import override

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field or line: a JSON pointer (`/lines/0/quantity`) or a file's line (`/lines/1734`)."""

    pointer: str
    code: str
    message: str


class Refused(Exception):
    """A rule says no. `code` is stable and public, `words` are for people, `facts` are what the caller may show: plain
    JSON values that become members of the problem document, so never under one of its own names (`status`, `code` ...).

    With a `pointer` and no `errors` the one fault is made from code and words.
    """

    def __init__(
        self,
        code: str,
        words: str,
        *,
        pointer: str | None = None,
        facts: Mapping[str, object] | None = None,
        errors: tuple[Fault, ...] = (),
    ) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words
        self.facts: dict[str, object] = dict(facts or {})
        self.errors = errors or ((Fault(pointer, code, words),) if pointer is not None else ())

    @override
    def __str__(self) -> str:
        return f"{self.code}: {self.words}"


class Machine(Generic[S]):
    """A verb-keyed table of states. An arrow with several ends says that the facts decide which one it is."""

    def __init__(
        self,
        name: str,
        table: Mapping[S, Mapping[str, S | tuple[S, ...]]],
        *,
        code: str = "wrong_state",
        codes: Mapping[str, str] | None = None,
    ) -> None:
        """`code` is what a refusal is called; `codes` gives single verbs a code of their own."""
        self.name = name
        self._table = {
            state: {verb: end if isinstance(end, tuple) else (end,) for verb, end in arrows.items()}
            for state, arrows in table.items()
        }
        self._code, self._codes = code, dict(codes or {})
        unknown = {end for arrows in self._table.values() for ends in arrows.values() for end in ends} - set(table)
        if unknown:
            raise ValueError(f"{name}: arrows lead to states without a line: {sorted(unknown)}")

    @property
    def states(self) -> tuple[S, ...]:
        return tuple(self._table)

    def verbs(self, state: S) -> tuple[str, ...]:
        """What may be done in this state, in the table's order."""
        return tuple(self._table[state])

    def allows(self, state: S, verb: str) -> bool:
        return verb in self._table[state]

    def after(self, state: S, verb: str, *, to: S | None = None) -> S:
        """The state that `verb` leads to; `to` names the end of an arrow that has several. Raises Refused."""
        ends = self._table[state].get(verb)
        if ends is None:
            words = f"A {self.name} that is {state} cannot do this: {verb}."
            facts = {"state": str(state), "allowed": list(self.verbs(state))}
            raise Refused(self._codes.get(verb, self._code), words, facts=facts)
        if to is None and len(ends) == 1:
            return ends[0]
        if to not in ends:
            raise ValueError(f"{self.name}: {verb} from {state} ends in one of {', '.join(ends)}, not in {to}")
        return to

    def check_sql(self, column: str) -> str:
        """The condition of the CHECK constraint that allows these states and no other."""
        return f"{column} IN ({', '.join(repr(str(state)) for state in self.states)})"

    def diagram(self) -> str:
        """The table as a Mermaid state diagram; the first state is where things begin."""
        arrows = [
            f"    {state} --> {end}: {verb}"
            for state, line in self._table.items()
            for verb, ends in line.items()
            for end in ends
        ]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.states[0]}", *arrows]) + "\n"

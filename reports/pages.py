"""Templates into HTML: one Jinja2 environment that escapes everything and refuses what is missing."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import words

TEMPLATES = Path(__file__).with_name("templates")


def html(template: str, **facts: object) -> str:
    """The page of `template` filled with `facts`. Raises `jinja2.UndefinedError` when a fact is missing."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["terms"] = words.terms
    environment.filters["fulfilment"] = words.fulfilment
    environment.filters["one_line"] = words.one_line
    return environment


def _printable(value: object) -> object:
    """Every printed value passes here, so no name smuggles in what an editor would not show."""
    if value is None:
        raise ValueError("a paper was asked to print nothing where it expects a fact")
    return value if isinstance(value, Markup) or not isinstance(value, str) else words.clean(value)

"""Holds an answer to the contract's types: a value of another type would fail without a word."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import get_args, get_origin, get_type_hints

# Of a value that is shown, in characters.
LONGEST = 60
# The contract's `millis`; its moments may lie before 1970.
UNSIGNED = {"poll_after", "validate_after"}


def mistake(value, kind, place: str = "") -> "str | None":
    """What is wrong with a value that should be of this kind, an annotation of the bindings; None if nothing is."""
    def wants(wanted: str) -> str:
        return f"{place or 'the answer'} is {shown(value)}; {wanted}"

    if get_origin(kind) is list:
        if not isinstance(value, list):
            return wants("a list")
        return first(mistake(item, get_args(kind)[0], f"{place}[{at}]") for at, item in enumerate(value))
    if kind is int:
        least, most = (0, 2**64) if place.split(".")[-1] in UNSIGNED else (-2**63, 2**63)
        is_right = isinstance(value, int) and not isinstance(value, bool) and least <= value < most
        return None if is_right else wants("a whole number" + (" of 0 or more" if least == 0 else ""))
    if not isinstance(kind, type):
        return None
    if not isinstance(value, kind):
        return wants(named(kind))
    if not is_dataclass(kind):
        return None
    hints = hints_of(kind)
    return first(
        mistake(getattr(value, field.name, None), hints[field.name], f"{place}.{field.name}" if place else field.name)
        for field in fields(kind)
    )


HINTS = {}


def hints_of(kind) -> dict:
    """Read once for each: they are asked for in every call."""
    if kind not in HINTS:
        HINTS[kind] = get_type_hints(kind)
    return HINTS[kind]


def first(mistakes) -> "str | None":
    return next((found for found in mistakes if found), None)


def named(kind: type) -> str:
    if issubclass(kind, Enum):
        return f"one of {', '.join(f'{kind.__name__}.{member.name}' for member in kind)}"
    return {str: "a str", bytes: "bytes"}.get(kind, f"a {kind.__name__}")


def shown(value) -> str:
    text = repr(value)
    text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return text if value is None or isinstance(value, Enum) else f"{text}, of the type {type(value).__name__}"

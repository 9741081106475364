"""JSON whose numbers are never floats."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from carillon.number import Number, text_of

# A JSON value as it is read: numbers are `Number`, also whole ones.
Json = None | bool | str | Decimal | int | list["Json"] | dict[str, "Json"]


class NotJson(ValueError):
    """The text is no JSON, or holds what no strict reader takes (NaN, a number beyond all bounds)."""


def read(text: str | bytes) -> Any:
    """The value of a JSON text. Raises NotJson."""
    try:
        return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise NotJson(str(error) or type(error).__name__) from None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def write(value: object) -> str:
    """Compact JSON; Decimals digit for digit. Raises TypeError for what JSON or this protocol has no form for."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return int.__repr__(value)  # of an enum's member, str() gives the name
    if isinstance(value, Decimal) and value.is_finite():
        return text_of(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{write(str(name))}:{write(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(write(element) for element in value) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form here")

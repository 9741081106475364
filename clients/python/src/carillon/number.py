"""Decimal numbers that keep the text they came in (protocol 5.1)."""

import re
from decimal import Decimal
from typing import Self

CHARACTERS_MAX = 40
EXPONENT_MAX = 30

# What a number may be given as. A float is none of them: 0.1 is not the number that it prints.
DecimalLike = Decimal | int | str

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?", re.ASCII)


class Number(Decimal):
    """A `Decimal` that is written as it was read: `-0.0`, `1.50` and `1.50e+3` stay what they are.

    Equal, ordered and hashed by value, as every Decimal; what is computed from it is a plain Decimal. `text` is JSON.
    """

    text: str

    def __new__(cls, text: str) -> Self:
        """Raises ValueError when `text` is not a JSON number, ArithmeticError when no Decimal can hold it."""
        if _JSON_NUMBER.fullmatch(text) is None:
            raise ValueError("not a JSON number")
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self


def text_of(value: Decimal) -> str:
    """The JSON text of a finite Decimal, digit for digit: `1.50` for Decimal('1.50'), `0.00000001` for
    Decimal('1E-8')."""
    if isinstance(value, Number):
        return value.text
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -CHARACTERS_MAX <= exponent <= 0:
        plain = format(value, "f")
        if len(plain) <= CHARACTERS_MAX:
            return plain
    return str(value)


def is_within_limits(text: str) -> bool:
    """Whether a JSON number has at most 40 characters and an exponent from -30 to 30."""
    if len(text) > CHARACTERS_MAX:
        return False
    found = _JSON_NUMBER.fullmatch(text)
    return found is not None and abs(int(found[1] or "0")) <= EXPONENT_MAX

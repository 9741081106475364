"""What one value of an event may be (protocol 5.1, 8). Each check gives the value to keep, or raises InvalidEvent."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from carillon import json_text
from carillon.errors import InvalidEvent
from carillon.number import Number, is_within_limits, text_of

TEXT_BYTES_MAX = 256
LONG_TEXT_BYTES_MAX = 4096

Value = TypeVar("Value")


def fault(pointer: str, code: str, message: str) -> InvalidEvent:
    return InvalidEvent(pointer, code, message)


def optional(check: Callable[[str, object], Value], pointer: str, value: object) -> Value | None:
    return None if value is None else check(pointer, value)


def text(pointer: str, value: object, bytes_max: int = TEXT_BYTES_MAX) -> str:
    if not isinstance(value, str):
        raise fault(pointer, "wrong_type", "must be a string")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise fault(pointer, "not_allowed", "must be valid Unicode, without lone surrogates") from None
    if not 1 <= size <= bytes_max:
        raise fault(pointer, "out_of_range", f"must be 1 to {bytes_max} bytes long")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        raise fault(pointer, "not_allowed", "must not contain control characters")
    return str.__str__(value)  # of an enum's member that is a str, str() gives the name


def long_text(pointer: str, value: object) -> str:
    return text(pointer, value, LONG_TEXT_BYTES_MAX)


def word(pointer: str, value: object, words: Sequence[str]) -> str:
    if not isinstance(value, str):
        raise fault(pointer, "wrong_type", "must be a string")
    if value not in words:
        raise fault(pointer, "not_allowed", "must be one of " + ", ".join(words))
    return str.__str__(value)


def number(pointer: str, value: object) -> Decimal:
    """A Decimal as given; a string becomes a Number that keeps it."""
    if isinstance(value, float):
        raise fault(pointer, "wrong_type", "must not be a float, which cannot hold most decimals: use Decimal or str")
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise fault(pointer, "wrong_type", "must be a number: Decimal, int or str")
    try:
        found = Number(value) if isinstance(value, str) else Decimal(value) if isinstance(value, int) else value
    except (ValueError, ArithmeticError):
        raise fault(pointer, "wrong_type", "must be a number as JSON writes it, such as 1.50") from None
    if not found.is_finite():
        raise fault(pointer, "out_of_range", "must be finite")
    if not is_within_limits(text_of(found)):
        raise fault(
            pointer, "out_of_range", "must be a number of at most 40 characters with an exponent from -30 to 30"
        )
    return found


def numbers(pointer: str, value: object) -> tuple[Decimal, ...]:
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise fault(pointer, "wrong_type", "must be a sequence of numbers")
    if not value:
        raise fault(pointer, "out_of_range", "must hold one number or more")
    return tuple(number(f"{pointer}/{index}", element) for index, element in enumerate(value))


def share(pointer: str, value: object) -> Decimal:
    found = number(pointer, value)
    if not 0 <= found <= 1:
        raise fault(pointer, "out_of_range", "must be 0 to 1")
    return found


def positive(pointer: str, value: object) -> Decimal:
    found = number(pointer, value)
    if found <= 0:
        raise fault(pointer, "out_of_range", "must be more than 0")
    return found


def not_negative(pointer: str, value: object) -> Decimal:
    found = number(pointer, value)
    if found < 0:
        raise fault(pointer, "out_of_range", "must be 0 or more")
    return found


def json(pointer: str, value: Any) -> Any:
    """A member that no table knows: anything that can be written, without floats."""
    if isinstance(value, float):
        raise fault(pointer, "wrong_type", "must not be a float, which cannot hold most decimals: use Decimal or str")
    try:
        json_text.write(value).encode()
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise fault(pointer, "wrong_type", f"must be a JSON value: {error}") from None
    return value


def as_read(pointer: str, value: Any, kind: object) -> Any:
    """A value from JSON for a member of that type: there a number is no string, nor the other way round."""
    wants_number = kind in (Decimal, Decimal | None)
    if wants_number and not isinstance(value, Decimal):
        raise fault(pointer, "wrong_type", "must be a number")
    if kind == tuple[Decimal, ...]:
        if not isinstance(value, list):
            raise fault(pointer, "wrong_type", "must be an array of numbers")
        for index, element in enumerate(value):
            as_read(f"{pointer}/{index}", element, Decimal)
    return value

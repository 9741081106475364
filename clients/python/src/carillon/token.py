"""Where a bearer token comes from: the text itself, a file, or a function that fetches one."""

import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

# A str is the token, a path a file that holds it and is read anew each time a token is needed, a callable fetches one.
TokenSource = str | os.PathLike[str] | Callable[[], str]
AsyncTokenSource = TokenSource | Callable[[], Awaitable[str]]


def fetch(source: TokenSource) -> str:
    """A token now. May block, and raises what the file or the callable raises."""
    if isinstance(source, str):
        return _checked(source)
    if isinstance(source, os.PathLike):
        return _checked(Path(source).read_text(encoding="utf-8"))
    return _checked(source())


async def fetch_async(source: AsyncTokenSource) -> str:
    """The same from a callable that may be a coroutine function."""
    if isinstance(source, str | os.PathLike):
        return fetch(source)
    found = source()
    return _checked(await found if inspect.isawaitable(found) else found)


def _checked(token: object) -> str:
    """Never says what the token was: errors are logged."""
    text = token.strip() if isinstance(token, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("the token is not a bearer token: one word of printable ASCII")
    return text

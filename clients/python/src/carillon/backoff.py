"""How long to wait before the next attempt: by chance, and longer each time (protocol 7)."""

from collections.abc import Callable

WAIT_MIN = 0.5  # seconds
WAIT_MAX = 20.0


class Backoff:
    """`random` gives 0 to 1. One object per line of attempts; `reset()` after a success."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait now: by chance from 0.5 s up to 1 s, 2 s, 4 s ... 20 s, and never less than `at_least`."""
        # Beyond the fifth doubling the ceiling stays; a larger power would only overflow in time.
        ceiling = min(WAIT_MAX, 2 * WAIT_MIN * 2.0 ** min(self._failures, 5))
        self._failures += 1
        return max(at_least, WAIT_MIN + self._random() * (ceiling - WAIT_MIN))

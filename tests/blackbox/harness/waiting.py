"""Waiting for a condition with a deadline; nothing here waits for a fixed time."""

import time


def until(condition, timeout=5.0, what="the condition"):
    """Returns the first true value of `condition`, asked every 10 ms; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s")
        time.sleep(0.01)

"""What a client does when a connection ends: protocol 7 as one closed table."""

from collections.abc import Mapping
from enum import StrEnum


class Action(StrEnum):
    """ "At once" holds once: without having been live and 20 s between, it is a back-off too."""

    BACK_OFF = "back_off"  # wait, 0.5 to 20 s by chance, then resume
    RETRY_AFTER = "retry_after"  # wait as long as the server said, else as BACK_OFF
    RESUME_NOW = "resume_now"  # resume at once
    NEW_TOKEN = "new_token"  # a new token at once; refused again without an auth_ok between: REFUSED
    NEW_TOKEN_AND_RESUME_NOW = "new_token_and_resume_now"
    REFUSED = "refused"  # nothing is tried until the caller says so


CLOSE_CODES: Mapping[int, Action] = {
    1000: Action.BACK_OFF,
    1001: Action.BACK_OFF,
    1002: Action.REFUSED,
    1003: Action.REFUSED,
    1007: Action.REFUSED,
    1008: Action.REFUSED,
    1009: Action.REFUSED,
    1011: Action.BACK_OFF,
    1012: Action.RETRY_AFTER,
    1013: Action.BACK_OFF,
    4400: Action.REFUSED,
    4401: Action.NEW_TOKEN,
    4403: Action.REFUSED,
    4408: Action.BACK_OFF,
    4411: Action.RESUME_NOW,
    4419: Action.NEW_TOKEN_AND_RESUME_NOW,
    4420: Action.BACK_OFF,
    4423: Action.REFUSED,
    4429: Action.RETRY_AFTER,
}


def action_for_close(code: int | None) -> Action:
    """`None`: the connection broke without a close frame."""
    return Action.BACK_OFF if code is None else CLOSE_CODES.get(code, Action.BACK_OFF)


def action_for_status(status: int) -> Action:
    """Of a refused upgrade (protocol 7.4)."""
    if status == 401:
        return Action.NEW_TOKEN
    if status in (429, 503):
        return Action.RETRY_AFTER
    return Action.REFUSED if status in (400, 403) else Action.BACK_OFF

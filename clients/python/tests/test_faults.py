"""A server that fails in every way there is: the table that all clients share."""

import asyncio
import json

import pytest
from fake_server import play
from paths import VECTORS

from carillon import Refused
from carillon.close_codes import CLOSE_CODES, Action, action_for_close

TABLE = json.loads((VECTORS / "client_faults.json").read_text())
CODES = json.loads((VECTORS / "close_codes.json").read_text())


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["name"])
def test_a_server_that_fails(row):
    seen, system = asyncio.run(play(row, TABLE["messages"]))
    expected = row["expect"]
    assert seen.states == expected["states"]
    assert seen.handed_over == expected["handed_over"]
    assert seen.snapshots == expected["snapshots"]
    assert seen.gaps == expected["gaps"]
    if expected["states"][-1] == "refused":
        assert system.expects_refusal()
        assert isinstance(seen.refused, Refused)
    else:
        assert seen.refused is None


def test_the_close_codes_are_those_of_the_contract():
    assert {row["code"]: row["client"] for row in CODES["codes"]} == dict(CLOSE_CODES)
    assert {str(action) for action in Action} == set(CODES["words"])
    assert action_for_close(3000) == CODES["any_other"]
    assert action_for_close(None) == CODES["without_close_frame"]

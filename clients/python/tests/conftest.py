"""Fixtures: those of the black-box tests, and what the client's own tests share."""

import importlib.util
import sys

from paths import BLACKBOX, PACKAGE

sys.path.insert(0, str(PACKAGE / "src"))
sys.path.insert(0, str(BLACKBOX))

_spec = importlib.util.spec_from_file_location("blackbox_fixtures", BLACKBOX / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)

keys = _fixtures.keys
authority = _fixtures.authority
carillon = _fixtures.carillon

"""Where things are."""

import pathlib

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
VECTORS = ROOT / "contract/vectors"
BLACKBOX = ROOT / "tests/blackbox"

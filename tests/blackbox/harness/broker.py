"""The brokers of tests/brokers, for tests that are skipped where one cannot be had."""

import os
import sys

import pytest

from harness.server import ROOT

sys.path.insert(0, str(ROOT / "tests/brokers"))

import broker  # noqa: E402
from broker import SCRIPT_OF  # noqa: E402

__all__ = ["SCRIPT_OF", "Broker"]


class Broker(broker.Broker):
    def start(self, *settings):
        try:
            return super().start(*settings)
        except broker.NotHere as reason:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"{self.kind}: {reason}")

    def log(self):
        return broker.Log(self)

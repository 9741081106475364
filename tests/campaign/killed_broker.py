"""The real broker of a campaign, which is killed and started again on the data that are there."""

import shutil
import time

from broker import Broker, NotHere

# Order that holds within a key only shows where there is more than one partition; and segments as servers have them.
SETTINGS_OF = {"kafka": ["num.partitions=3"], "rabbitmq": ["segment_bytes=500000000"]}


class KilledBroker(Broker):
    """Its folder is gone when the block is left in order, and the broker in any case."""

    def __init__(self, kind, folder):
        super().__init__(kind, f"{folder}/data")
        self.begun_at = self.up_at = None
        shutil.rmtree(folder, ignore_errors=True)

    def begin_start(self):
        self.begun_at, self.up_at = time.monotonic(), None
        super().begin_start(*SETTINGS_OF.get(self.kind, ()))

    def is_up(self):
        is_up = super().is_up()
        if is_up and self.up_at is None:
            self.up_at = time.monotonic()
        return is_up

    def has_served(self):
        """Whether it has been up for as long as it took to start: the nodes need their time too."""
        return self.is_up() and time.monotonic() - self.up_at >= self.up_at - self.begun_at

    def __enter__(self):
        try:
            return self.start()
        except NotHere:
            shutil.rmtree(self.folder.parent)
            raise

    def __exit__(self, kind, *_):
        self.kill()
        if kind is None:
            shutil.rmtree(self.folder.parent, ignore_errors=True)

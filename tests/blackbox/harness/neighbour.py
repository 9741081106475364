"""The healthy connection of another user that must not notice what a test does to the server."""

import threading
import time

from harness import events

PERIOD = 0.05


class Neighbour:
    """Publishes an order of its own user every 50 ms from one thread and receives them on one connection."""

    def __init__(self, server):
        self._server = server
        self._user = "neighbour"
        self._stream = server.connect(self._user)
        # Its events concern no other session, and its thread must not say what was published last.
        self._rest = server.rest(is_remembered=False)
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._sent = {}
        self._received = {}
        self._trouble = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,)) for work in (self._publish, self._receive)
        ]
        for thread in self._threads:
            thread.start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._received or self._trouble, timeout=10), self._trouble

    def close(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._stream.close()
        self._rest.close()

    def check(self, since):
        """Everything published from `since` (monotonic) to now arrives, and the event after it, each within a second."""
        until = time.monotonic()
        with self._changed:
            assert self._changed.wait_for(lambda: self._trouble or self._has_all(since, until), timeout=5), (
                "the neighbour's stream stopped"
            )
            if self._trouble:
                raise AssertionError(f"the neighbour noticed: {self._trouble!r}")
            delays = [
                self._received[i] - sent for i, sent in self._sent.items() if sent >= since and i in self._received
            ]
        assert max(delays) < 1.0, f"the neighbour waited {max(delays):.3f} s for an event"

    def _has_all(self, since, until):
        """Whether an event published after `until` has arrived, so that all before it must have, and they have."""
        if not any(sent > until and i in self._received for i, sent in self._sent.items()):
            return False
        return all(i in self._received for i, sent in self._sent.items() if since <= sent <= until)

    def _guarded(self, work):
        try:
            work()
        except Exception as trouble:  # reported by the next check()
            with self._changed:
                self._trouble = self._trouble or trouble
                self._changed.notify_all()

    def _publish(self):
        while not self._stop.wait(PERIOD):
            event = events.order(self._user)
            with self._changed:
                self._sent[event["payload"]["order_id"]] = time.monotonic()
            self._rest.publish(event)

    def _receive(self):
        while not self._stop.is_set():
            try:
                message = self._stream.next(timeout=0.2)
            except TimeoutError:
                continue
            if message["event"] != "order_update":
                continue
            order_id = message["payload"]["order_id"]
            with self._changed:
                assert order_id in self._sent, "the neighbour got another user's order"
                assert order_id not in self._received, "the neighbour got an event twice"
                self._received[order_id] = time.monotonic()
                self._changed.notify_all()

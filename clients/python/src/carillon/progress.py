"""What a subscription has received, over all its connections: where to resume, and what not to hand over twice."""

from collections import OrderedDict

# Far more than come between two proofs, which are 20 s apart: only of those could one come again.
HANDLED_MAX = 65_536


class Progress:
    """Positions are opaque (protocol 4.1) and compared for equality only.

    `position` is the last one received, `proved` the last one of which a heartbeat or `live` said that everything up
    to it was sent, with a count that was ours.
    """

    def __init__(self, position: str | None) -> None:
        self.position = position
        self.proved = position
        self._handled: OrderedDict[str, None] = OrderedDict()

    def take(self, position: str) -> bool:
        """A notification came. Whether it is the first time."""
        self.position = position
        if position in self._handled:
            self._handled.move_to_end(position)
            return False
        self._handled[position] = None
        if len(self._handled) > HANDLED_MAX:
            self._handled.popitem(last=False)
        return True

    def prove(self, position: str) -> None:
        self.position = self.proved = position

    def doubt(self) -> None:
        """Something is missing since what was proved; what came since is known and not handed over again."""
        self.position = self.proved

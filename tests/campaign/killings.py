"""What befalls the nodes and the broker of a campaign."""

import heapq
import itertools
import time

BROKER_SHARE = 0.3  # of what befalls, while the broker is up
PAUSE_SHARE = 0.2  # of what befalls one of several nodes
SPARED_SHARE = 0.6  # of what would befall nodes while the broker is down, when there is less to be lost


class Killings:
    """Kills (SIGKILL) and pauses until there were enough; then all nodes are up and ready."""

    def __init__(self, nodes, broker, load, chance):
        """`broker`: None where there is none."""
        self.nodes, self.broker, self.load, self.chance = nodes, broker, load, chance
        self.count = self.not_ready = self.broker_count = self.pauses = 0
        self.down, self.paused = set(), set()
        self._due, self._order = [], itertools.count()  # a heap: what comes back, and when

    def go_on_until(self, seconds, kills, broker_kills):
        end = time.monotonic() + seconds
        while self.load.poll() is None:
            lacks_nodes, lacks_brokers = self.count < kills, self.broker_count < broker_kills
            if time.monotonic() >= end and not lacks_nodes and not lacks_brokers:
                break
            self._wait(self._some_time())
            is_over = time.monotonic() >= end
            is_broker_up = self.broker is not None and self.broker.is_up()
            if is_broker_up and self.broker.has_served() and (self.chance.random() < BROKER_SHARE or (is_over and lacks_brokers)):
                self._kill_broker()
            elif (not is_over or lacks_nodes) and (is_broker_up or not self._is_spared()):
                self._disturb_node()
        self._bring_all_back()

    def _some_time(self):
        if self.chance.random() < 0.15:  # then clients have just come back, and some replay
            return self.chance.uniform(0, 0.4)
        return self.chance.uniform(0.5, 6)

    def _is_spared(self):
        return self.broker is not None and self.chance.random() < SPARED_SHARE

    def _disturb_node(self):
        if len(self.nodes) == 1:
            self._kill(self.nodes[0])
            return self.nodes[0].start()
        up = [node for node in self.nodes if node not in self.down]
        if not up:
            return
        node = self.chance.choice(up)
        if node not in self.paused and self.chance.random() < PAUSE_SHARE:
            return self._pause(node)
        self._kill(node)
        self.down.add(node)

        def come_back():
            self.down.discard(node)
            node.spawn()

        self._later(self.chance.uniform(0, 2), come_back)

    def _kill(self, node):
        """And sometimes again while it comes up."""
        self._kill_once(node)
        while self.chance.random() < 0.15:
            node.spawn()
            time.sleep(self.chance.uniform(0, 0.5))
            self._kill_once(node)

    def _kill_once(self, node):
        self.not_ready += node in self.paused or not node.is_ready()
        self.paused.discard(node)
        node.kill()
        self.count += 1

    def _pause(self, node):
        """It is behind the others then."""
        process = node.process

        def go_on():
            if node in self.paused and node.process is process:
                self.paused.discard(node)
                node.go_on()

        self.paused.add(node)
        self.pauses += 1
        node.pause()
        self._later(self.chance.uniform(0.3, 2.5), go_on)

    def _kill_broker(self):
        together = self.chance.random()
        if together < 0.15:
            self._disturb_node()
        self.broker.kill()
        self.broker_count += 1
        if 0.15 <= together < 0.3:
            self._disturb_node()
        self._later(self.chance.uniform(0, 3), self.broker.begin_start)

    def _later(self, seconds, action):
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        while self._due and self._due[0][0] <= end:
            at, _, action = heapq.heappop(self._due)
            time.sleep(max(0, at - time.monotonic()))
            action()
        time.sleep(max(0, end - time.monotonic()))

    def _bring_all_back(self):
        while self._due:
            heapq.heappop(self._due)[2]()
        if self.broker is not None:
            self.broker.wait_until_up()
        for node in self.nodes:
            node.wait_until_ready()

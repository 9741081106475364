"""From a seed: whatever breaks, at any point, what is handed over is what was published, once and in order."""

import asyncio

import pytest
from simulation import World, index_of

from carillon import Gap, Notification, Snapshot, subscribe

STEPS = 400
SEEDS = 100


class Application:
    """Remembers what it handled, also over its own restarts."""

    def __init__(self, world, restarts_one_in):
        self._world = world
        self._restarts_one_in = restarts_one_in
        self.items = []
        self.restarts = 0

    async def run(self):
        position = None
        while not await self._follow(position):
            self.restarts += 1
            position = self._position
            self._forget_what_was_not_handled()

    async def _follow(self, position):
        """Until all is there, or until the process ends, by chance."""
        world = self._world
        subscription = subscribe(
            "https://fake", token=world.token, system=world, resume=position, buffer=world.chance.randint(1, 5)
        )
        async with subscription:
            items = aiter(subscription)
            done = asyncio.create_task(world.all_sent.wait())
            while True:
                following = asyncio.create_task(anext(items))
                await asyncio.wait([following, done], return_when=asyncio.FIRST_COMPLETED)
                for _ in range(10 if done.done() else 0):
                    await asyncio.sleep(0)
                if not following.done():
                    following.cancel()
                    await asyncio.wait([following])
                    return True
                self.items.append(following.result())
                for _ in range(world.chance.randrange(4)):
                    await asyncio.sleep(0)
                if subscription.position and not world.has_secret and world.happens(self._restarts_one_in):
                    self._position = subscription.position
                    done.cancel()
                    return False

    def _forget_what_was_not_handled(self):
        """The item that came last was not said to be handled: it comes again."""
        self.items.pop()


def play(seed, may_skip, restarts_one_in=100):
    world = World(seed, STEPS, may_skip=may_skip)
    application = Application(world, restarts_one_in)

    async def story():
        await asyncio.wait_for(application.run(), 60)

    asyncio.run(story())
    return world, application


@pytest.mark.parametrize("first_seed", range(0, SEEDS, 10))
def test_what_is_handed_over_is_what_was_published_once_and_in_order(first_seed):
    for seed in range(first_seed, first_seed + 10):
        world, application = play(seed, may_skip=False)
        assert isinstance(application.items[0], Snapshot), seed
        expected, is_in_gap = None, False
        for item in application.items:
            match item:
                case Gap():
                    is_in_gap = True
                case Snapshot():
                    assert expected is None or is_in_gap, seed
                    expected, is_in_gap = index_of(item.position) + 1, False
                    parts = [index_of(part.position) for part in item.notifications]
                    assert parts == list(range(max(1, expected - 3), expected)), seed
                case Notification():
                    assert not is_in_gap, seed
                    assert index_of(item.position) == expected, seed
                    expected += 1
        assert expected == world.published + 1, seed
        assert all(0.5 <= wait <= 20 for wait in world.waits), seed


def handed_over_since_the_last_snapshot(application):
    since = max(index for index, item in enumerate(application.items) if isinstance(item, Snapshot))
    first = index_of(application.items[since].position) + 1
    return first, [index_of(item.position) for item in application.items[since + 1 :]]


@pytest.mark.parametrize("first_seed", range(0, SEEDS, 10))
def test_what_was_skipped_on_the_way_is_found_out_and_comes_once(first_seed):
    """In order it cannot be: what came after it was handed over already."""
    for seed in range(first_seed, first_seed + 10):
        world, application = play(seed, may_skip=True, restarts_one_in=10**9)
        first, handed_over = handed_over_since_the_last_snapshot(application)
        assert sorted(handed_over) == list(range(first, world.published + 1)), seed


# At 1080 the application restarts while it has yet to handle what was proved before the fault.
@pytest.mark.parametrize("first_seed", [*range(0, SEEDS, 10), 1080])
def test_what_was_skipped_is_not_lost_by_a_restart(first_seed):
    """The next process does not know what came since the last proof, and gets it again rather than not at all."""
    for seed in range(first_seed, first_seed + 10):
        world, application = play(seed, may_skip=True)
        first, handed_over = handed_over_since_the_last_snapshot(application)
        assert set(handed_over) == set(range(first, world.published + 1)), seed


def test_the_seeds_reach_what_they_should():
    worlds, applications = zip(*(play(seed, may_skip=False) for seed in range(30)), strict=True)
    items = [item for application in applications for item in application.items]
    assert sum(isinstance(item, Gap) for item in items) > 5
    assert sum(isinstance(item, Notification) and item.replayed for item in items) > 100
    assert sum(application.restarts for application in applications) > 5
    assert min(world.connections for world in worlds) > 5

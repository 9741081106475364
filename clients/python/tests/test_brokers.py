"""Publishing straight into a real broker's log, from which a real node delivers."""

import asyncio
from decimal import Decimal

import pytest
from harness.broker import SCRIPT_OF, Broker
from harness.server import merged
from real import alert, order, watch

from carillon import AsyncOutbox, Envelope, Notification, Outbox, Unavailable
from carillon.kafka import KafkaPublisher
from carillon.nats import NatsPublisher
from carillon.rabbitmq import RabbitmqPublisher
from carillon.redis import RedisPublisher

PATIENCE = 120.0  # seconds
FAST = {"server": {"drain_window": "0"}}


@pytest.fixture(scope="module", params=sorted(SCRIPT_OF))
def broker(request, tmp_path_factory):
    broker = Broker(request.param, tmp_path_factory.mktemp("broker") / request.param).start()
    yield broker
    broker.stop()


@pytest.fixture
def log(broker):
    return broker.log()


@pytest.fixture
def node(carillon, log):
    return carillon(merged(log.config, FAST)).start()


def publisher_of(log, **options):
    """The four of them, with quick failures."""
    place = log.config[f"log.{log.broker.kind}"]
    match log.broker.kind:
        case "redis":
            return RedisPublisher(place["url"], stream=place["stream"], **options)
        case "kafka":
            timeouts = {"bootstrap_timeout_ms": 1000, "max_block_ms": 2000, "request_timeout_ms": 1000}
            timeouts["delivery_timeout_ms"] = 2000
            return KafkaPublisher(place["brokers"], topic=place["topic"], **(timeouts | options))
        case "rabbitmq":
            # Where no password is said RabbitMQ's own default is meant, which pika does not know.
            return RabbitmqPublisher(place["url"].replace("guest@", "guest:guest@"), queue=place["queue"], **options)
        case _:
            return NatsPublisher(place["url"], stream=place["stream"], subject=place["subject"], **options)


class Agent:
    """Any of them for asyncio: the blocking ones on a thread."""

    def __init__(self, publisher):
        self._publisher = publisher

    async def publish(self, events):
        if isinstance(self._publisher, NatsPublisher):
            return await self._publisher.publish(events)
        return await asyncio.to_thread(self._publisher.publish, events)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        closed = self._publisher.close()
        if closed is not None:
            await closed


class Box:
    """Either outbox, with the shortest waits."""

    def __init__(self, publisher):
        options = {"capacity": 1000, "when_full": "raise", "random": lambda: 0.0}
        kind = AsyncOutbox if isinstance(publisher, NatsPublisher) else Outbox
        self._outbox = kind(publisher, **options)

    async def __aenter__(self):
        if isinstance(self._outbox, AsyncOutbox):
            await self._outbox.__aenter__()
        return self

    async def put(self, event):
        taken = self._outbox.put(event)
        return await taken if isinstance(self._outbox, AsyncOutbox) else taken

    async def wait_for(self, condition):
        while not condition(self._outbox):
            await asyncio.sleep(0.01)

    async def __aexit__(self, *_):
        if isinstance(self._outbox, AsyncOutbox):
            assert await self._outbox.close(PATIENCE)
        else:
            assert await asyncio.to_thread(self._outbox.close, PATIENCE)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


async def take(items, count):
    """The next events; a first snapshot is passed over."""
    events = []
    while len(events) < count:
        item = await anext(items)
        if isinstance(item, Notification):
            events.append(item.event)
    return events


def test_what_is_published_to_the_broker_is_delivered_once_and_in_order(log, node):
    async def story():
        async with watch(node) as subscription, Agent(publisher_of(log)) as agent:
            items = aiter(subscription)
            await anext(items)
            sent = [Envelope(order(number, price_avg_filled=Decimal("0.10"))) for number in range(50)]
            assert len((await agent.publish(sent)).ids) == 50
            await agent.publish([*sent[:3], Envelope(order("last"))])
            events = await take(items, 51)
            assert events == [*(each.event for each in sent), order("last")]
            assert str(events[0].price_avg_filled) == "0.10"

    run(story())


def test_while_the_broker_is_down_events_wait_in_the_outbox(log, node, broker):
    async def story():
        async with watch(node) as subscription, Agent(publisher_of(log, attempts=1)) as agent:
            items = aiter(subscription)
            await anext(items)
            await agent.publish(alert("before"))
            async with Box(publisher_of(log)) as box:
                broker.kill()
                try:
                    with pytest.raises(Unavailable) as unavailable:
                        await agent.publish(alert("during"))
                    for event in (*unavailable.value.envelopes, *map(alert, range(20))):
                        await box.put(event)
                    await box.wait_for(lambda outbox: outbox.last_error is not None)
                finally:
                    await asyncio.to_thread(broker.start)
            assert [event.alert_id for event in await take(items, 22)] == [
                "a-before",
                "a-during",
                *(f"a-{number}" for number in range(20)),
            ]

    run(story())

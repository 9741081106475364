"""Publishing into the Kafka topic that Carillon follows (protocol 8.7). Needs the extra `carillon[kafka]`."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from carillon.envelope import Envelope
from carillon.errors import MissingExtra, PublishError, Rejected, Unavailable
from carillon.publishing import ATTEMPTS, EventPublisher, Published

try:
    import kafka
    from kafka.errors import KafkaError
except ImportError as error:
    raise MissingExtra("publishing to Kafka needs the package kafka-python: pip install 'carillon[kafka]'") from error

TOPIC = "carillon.events"
DELIVERY_TIMEOUT = 30.0  # seconds, until a batch is given up
REQUEST_TIMEOUT = 10.0


class KafkaPublisher(EventPublisher):
    """Produces with acks=all and idempotence. The key is the order's user, so that each user's orders stay in order.

    `brokers`: host:port, several with commas; the topic must be there, Carillon makes it. `options` are given to
    kafka-python's producer.
    """

    def __init__(
        self,
        brokers: str,
        *,
        topic: str = TOPIC,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._topic = topic
        self._options = {
            "bootstrap_servers": brokers.split(","),
            "acks": "all",
            "enable_idempotence": True,
            "delivery_timeout_ms": int(DELIVERY_TIMEOUT * 1000),
            "request_timeout_ms": int(REQUEST_TIMEOUT * 1000),
            "max_block_ms": int(REQUEST_TIMEOUT * 1000),
            "bootstrap_timeout_ms": int(REQUEST_TIMEOUT * 1000),
            "max_request_size": 2 * 1024 * 1024,
        } | options
        self._producer: Any = None

    def send(self, batch: Sequence[Envelope]) -> Published:
        try:
            if self._producer is None:
                self._producer = kafka.KafkaProducer(**self._options)
            sent = [
                self._producer.send(self._topic, key=envelope.key.encode(), value=envelope.json) for envelope in batch
            ]
            for each in sent:
                each.get(timeout=DELIVERY_TIMEOUT + REQUEST_TIMEOUT)
        except KafkaError as error:
            self.close()
            raise _translated(error) from error
        return Published(len(batch), 0, None, tuple(envelope.id for envelope in batch))

    def close(self) -> None:
        # A producer that gave records up starts anew, so that none of them comes late and out of order.
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=0)


def _translated(error: KafkaError) -> PublishError:
    text = f"Kafka: {type(error).__name__}: {error}"
    return Unavailable(text) if error.retriable or not hasattr(error, "errno") else Rejected(text)

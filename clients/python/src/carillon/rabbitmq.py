"""Publishing into the RabbitMQ stream queue that Carillon follows (protocol 8.7). Needs `carillon[rabbitmq]`."""

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from carillon.envelope import Envelope
from carillon.errors import MissingExtra, Rejected, Unavailable
from carillon.publishing import ATTEMPTS, EventPublisher, Published

try:
    import pika
    from pika.exceptions import (
        AMQPError,
        AuthenticationError,
        ChannelClosedByBroker,
        ProbableAccessDeniedError,
        ProbableAuthenticationError,
        UnroutableError,
    )
except ImportError as error:
    raise MissingExtra("publishing to RabbitMQ needs the package pika: pip install 'carillon[rabbitmq]'") from error

QUEUE = "carillon.events"
TIMEOUT = 10.0  # seconds, for connecting

_REFUSALS = (AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError)


class RabbitmqPublisher(EventPublisher):
    """Publishes persistent messages with confirms, one after the other: RabbitMQ confirms what the stream has stored.

    `url` as pika takes it, such as amqp://user:password@host:5672/%2F; the queue must be there, Carillon makes it.
    `options` are set on pika's parameters.
    """

    def __init__(
        self,
        url: str,
        *,
        queue: str = QUEUE,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._queue = queue
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = self._parameters.stack_timeout = TIMEOUT
        for name, value in options.items():
            setattr(self._parameters, name, value)
        self._connection: Any = None
        self._channel: Any = None

    def send(self, batch: Sequence[Envelope]) -> Published:
        try:
            channel = self._open_channel()
            for envelope in batch:
                properties = pika.BasicProperties(message_id=envelope.id, delivery_mode=2)
                channel.basic_publish("", self._queue, envelope.json, properties, mandatory=True)
        except _REFUSALS as error:
            self.close()
            raise Rejected(f"RabbitMQ: {type(error).__name__}: {error}") from error
        except (UnroutableError, ChannelClosedByBroker) as error:
            self.close()
            raise Unavailable(f"RabbitMQ: the queue {self._queue} is not there: {error}") from error
        except (AMQPError, OSError) as error:
            self.close()
            raise Unavailable(f"RabbitMQ: {type(error).__name__}: {error}") from error
        return Published(len(batch), 0, None, tuple(envelope.id for envelope in batch))

    def _open_channel(self) -> Any:
        if self._connection is not None:
            # Between calls nobody answers RabbitMQ's heartbeats: it may have left.
            self._connection.process_data_events(0)
        if self._connection is None or not self._connection.is_open or not self._channel.is_open:
            self.close()
            self._connection = pika.BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        return self._channel

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with contextlib.suppress(AMQPError, OSError):  # gone is as good
                connection.close()

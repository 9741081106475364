"""Carillon's client: publish and receive trade signals, order updates and system alerts."""

from carillon.envelope import Envelope, Publishable
from carillon.errors import (
    CarillonError,
    Conflict,
    EventsRefused,
    Fault,
    Forbidden,
    InvalidEvent,
    MissingExtra,
    NoToken,
    OutboxClosed,
    OutboxFull,
    PublishError,
    Refused,
    Rejected,
    Unauthorized,
    Unavailable,
)
from carillon.events import AlertLevel, Event, NewTradeSignal, OrderStatus, OrderType, OrderUpdate, Side, SystemAlert
from carillon.messages import Gap, Item, Notification, Snapshot
from carillon.number import Number
from carillon.outbox import AsyncOutbox, Outbox
from carillon.outbox_queue import Counts, RefusedEvent, WhenFull
from carillon.publisher import AsyncPublisher, Publisher
from carillon.publishing import AsyncEventPublisher, EventPublisher, Published
from carillon.subscription import State, Subscription, subscribe

__version__ = "1.0.0"

__all__ = [
    "AlertLevel",
    "AsyncEventPublisher",
    "AsyncOutbox",
    "AsyncPublisher",
    "CarillonError",
    "Conflict",
    "Counts",
    "Envelope",
    "Event",
    "EventPublisher",
    "EventsRefused",
    "Fault",
    "Forbidden",
    "Gap",
    "InvalidEvent",
    "Item",
    "MissingExtra",
    "NewTradeSignal",
    "NoToken",
    "Notification",
    "Number",
    "OrderStatus",
    "OrderType",
    "OrderUpdate",
    "Outbox",
    "OutboxClosed",
    "OutboxFull",
    "PublishError",
    "Publishable",
    "Published",
    "Publisher",
    "Refused",
    "RefusedEvent",
    "Rejected",
    "Side",
    "Snapshot",
    "State",
    "Subscription",
    "SystemAlert",
    "Unauthorized",
    "Unavailable",
    "WhenFull",
    "subscribe",
]

"""What tests/brokers/kafka asks of a broker, in Kafka's own protocol: its tools would each start a virtual machine."""

import socket
import struct
import time

LATEST, EARLIEST = -1, -2
DELETE_TOPICS, CREATE_TOPICS, CREATE_PARTITIONS, DELETE_RECORDS = 20, 19, 37, 21
PRODUCE, LIST_OFFSETS, METADATA = 0, 2, 3
UNKNOWN_TOPIC, TOPIC_EXISTS = 3, 36
PATIENCE_SECONDS = 20


class KafkaError(Exception):
    """The broker's refusal, with its number in Kafka's table of errors."""

    def __init__(self, request, code, text=""):
        super().__init__(f"Kafka answers {request} with error {code} {text or ''}")
        self.code = code


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


class Answer:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def text(self):
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def array(self, item):
        return [item(self) for _ in range(self.take("i"))]


class Admin:
    """One connection to a broker without TLS or login."""

    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, api, version, body):
        request = struct.pack(">hhi", api, version, 1) + text("carillon-test") + body
        self.socket.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", self.receive(4))
        answer = Answer(self.receive(size))
        answer.take("i")
        return answer

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return data

    def metadata(self, topics):
        """Brokers, the controller, and for each topic its error and partitions with their leaders."""
        answer = self.ask(METADATA, 1, array([text(topic) for topic in topics]))
        brokers = answer.array(lambda a: (a.take("i"), a.text(), a.take("i"), a.text()))
        controller = answer.take("i")

        def partition(a):
            error, number, leader = a.take("hii")
            a.array(lambda b: b.take("i"))
            a.array(lambda b: b.take("i"))
            return number, leader if error == 0 else -1

        found = answer.array(lambda a: (a.take("h"), a.text(), a.take("b"), dict(a.array(partition))))
        return brokers, controller, {name: (error, partitions) for error, name, _, partitions in found}

    def is_ready(self):
        brokers, controller, _ = self.metadata([])
        return bool(brokers) and controller >= 0

    def has_topic(self, topic):
        return self.metadata([topic])[2][topic][0] != UNKNOWN_TOPIC

    def partitions(self, topic):
        """The partitions' numbers, once each of them has a leader."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            error, partitions = self.metadata([topic])[2][topic]
            if error == 0 and partitions and min(partitions.values()) >= 0:
                return sorted(partitions)
            if error == UNKNOWN_TOPIC or time.monotonic() > deadline:
                raise KafkaError("metadata of " + topic, error)
            time.sleep(0.02)

    def offsets(self, topic, when):
        wanted = array([struct.pack(">iq", number, when) for number in self.partitions(topic)])
        answer = self.ask(LIST_OFFSETS, 1, struct.pack(">i", -1) + array([text(topic) + wanted]))
        ((_, found),) = answer.array(lambda a: (a.text(), a.array(lambda b: b.take("ihqq"))))
        for _, error, _, _ in found:
            check("list offsets", error)
        return {number: offset for number, _, _, offset in found}

    def starts(self, topic):
        return self.offsets(topic, EARLIEST)

    def ends(self, topic):
        return self.offsets(topic, LATEST)

    def delete_records(self, topic, before):
        partitions = array([struct.pack(">iq", number, offset) for number, offset in before.items()])
        answer = self.ask(DELETE_RECORDS, 0, array([text(topic) + partitions]) + struct.pack(">i", 10000))
        answer.take("i")
        for _, found in answer.array(lambda a: (a.text(), a.array(lambda b: b.take("iqh")))):
            for _, _, error in found:
                check("delete records", error)

    def create_topic(self, topic, partitions):
        """Also where it has just been deleted, which takes the broker a moment."""
        wanted = text(topic) + struct.pack(">ih", partitions, 1) + array([]) + array([])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = self.ask(CREATE_TOPICS, 2, array([wanted]) + struct.pack(">i?", 10000, False))
            answer.take("i")
            ((_, error, reason),) = answer.array(lambda a: (a.text(), a.take("h"), a.text()))
            if error != TOPIC_EXISTS or time.monotonic() > deadline:
                check("create topic", error, reason)
                break
            time.sleep(0.02)
        while not self.has_topic(topic) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.partitions(topic)

    def delete_topic(self, topic):
        answer = self.ask(DELETE_TOPICS, 1, array([text(topic)]) + struct.pack(">i", 10000))
        answer.take("i")
        for _, error in answer.array(lambda a: (a.text(), a.take("h"))):
            check("delete topic", error)

    def grow(self, topic, partitions):
        wanted = text(topic) + struct.pack(">ii", partitions, -1)
        answer = self.ask(CREATE_PARTITIONS, 0, array([wanted]) + struct.pack(">i?", 10000, False))
        answer.take("i")
        for _, error, reason in answer.array(lambda a: (a.text(), a.take("h"), a.text())):
            check("create partitions", error, reason)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.partitions(topic)) < partitions and time.monotonic() < deadline:
            time.sleep(0.02)

    def produce(self, topic, partition, value):
        batch = record_batch(value)
        records = array([struct.pack(">ii", partition, len(batch)) + batch])
        answer = self.ask(PRODUCE, 3, struct.pack(">hhi", -1, -1, 10000) + array([text(topic) + records]))
        for _, found in answer.array(lambda a: (a.text(), a.array(lambda b: b.take("ihqq")))):
            for _, error, _, _ in found:
                check("produce", error)


def check(request, error, reason=""):
    if error:
        raise KafkaError(request, error, reason)


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record_batch(value):
    """A batch of one record without key and headers, in the format of magic 2."""
    record = b"\0" + varint(0) + varint(0) + varint(-1)
    record += varint(-1) if value is None else varint(len(value)) + value
    record += varint(0)
    now = int(time.time() * 1000)
    rest = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + varint(len(record)) + record
    body = struct.pack(">ibI", -1, 2, crc32c(rest)) + rest
    return struct.pack(">qi", 0, len(body)) + body


def make_table():
    table = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        table.append(entry)
    return table


TABLE = make_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF

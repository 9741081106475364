"""A TLS client that sends literal bytes and shows literal answers; every wait has a deadline."""

import base64
import collections
import json
import os
import select
import socket
import ssl
import struct
import time

from harness import frames

Response = collections.namedtuple("Response", "status reason headers body")
Frame = collections.namedtuple("Frame", "fin rsv opcode masked payload")
Closed = collections.namedtuple("Closed", "code reason messages")

DEADLINE = 5.0


class PeerClosed(Exception):
    """The server ended the connection where the test waited for more."""


class RawClient:
    """One connection. Bytes go through an in-memory TLS object, so that a test may also cut the records themselves."""

    def __init__(self, address, context, server_hostname="localhost", source=None, receive_buffer=None, handshake=True):
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        self.port = self.socket.getsockname()[1]
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._plain = b""
        if handshake:
            self.handshake()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends TCP by a reset instead of in order."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- TLS -----------------------------------------------------------------------------------------------------

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill(DEADLINE):
                    raise PeerClosed("during the TLS handshake") from None
        self._flush()

    def first_flight(self):
        """The bytes of the ClientHello, for a client made with handshake=False."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read()

    def sealed(self, data):
        """`data` as TLS records, to be sent by `self.socket` in whatever pieces."""
        self.tls.write(data)
        return self._outgoing.read()

    def send(self, data):
        self.tls.write(data if isinstance(data, bytes) else data.encode())
        self._flush()

    def send_bytewise(self, data, interval):
        """One byte a TLS record, each `interval` seconds after the one before; stops when the server closes."""
        for i in range(len(data)):
            try:
                self.send(data[i : i + 1])
            except OSError:
                return
            if self.is_readable(interval) and self.peek_closed():
                return

    def tls_end(self):
        """Says that nothing more follows (close_notify)."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def _flush(self):
        data = self._outgoing.read()
        if data:
            self.socket.sendall(data)

    def _fill(self, timeout):
        """Takes what the socket has; False at the end of the stream. TimeoutError when nothing comes in time."""
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        finally:
            self.socket.settimeout(DEADLINE)
        if not data:
            self._incoming.write_eof()
            return False
        self._incoming.write(data)
        return True

    def is_readable(self, timeout):
        return bool(select.select([self.socket], [], [], timeout)[0])

    def peek_closed(self):
        """Whether the server has ended the connection by now; what it sent before stays readable."""
        while self.is_readable(0):
            if not self._fill(0.01):
                return True
            self._decrypt()
        return False

    def has_plain(self):
        return bool(self._plain)

    def _decrypt(self):
        """Moves what is decryptable to the plain buffer; False when TLS has ended."""
        while True:
            try:
                data = self.tls.read(65536)
            except ssl.SSLWantReadError:
                return True
            except ssl.SSLError:
                return False
            if not data:
                return False
            self._plain += data

    def _more(self, deadline):
        """Waits for more plain bytes; raises PeerClosed at the end, TimeoutError at the deadline."""
        before = len(self._plain)
        while len(self._plain) == before:
            alive = self._decrypt()
            if len(self._plain) > before:
                return
            if not alive:
                raise PeerClosed
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not self._fill(left) and self._decrypt() and len(self._plain) == before:
                raise PeerClosed

    def receive_exactly(self, size, timeout=DEADLINE):
        deadline = time.monotonic() + timeout
        while len(self._plain) < size:
            self._more(deadline)
        taken, self._plain = self._plain[:size], self._plain[size:]
        return taken

    def receive_until(self, mark, timeout=DEADLINE):
        deadline = time.monotonic() + timeout
        while mark not in self._plain:
            self._more(deadline)
        end = self._plain.index(mark) + len(mark)
        taken, self._plain = self._plain[:end], self._plain[end:]
        return taken

    def receive_rest(self, timeout=DEADLINE):
        """Everything up to the end of the connection, which must come within `timeout`."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self._more(deadline)
        except PeerClosed:
            rest, self._plain = self._plain, b""
            return rest

    def expect_closed(self, timeout=DEADLINE):
        """The server ends the connection within `timeout`; returns how long it took. Nothing more may come before."""
        start = time.monotonic()
        rest = self.receive_rest(timeout)
        assert rest == b"", f"the server sent {rest[:200]!r} where it should have closed"
        return time.monotonic() - start

    def expect_silence(self, duration):
        """Nothing arrives for `duration` seconds, not even the end."""
        try:
            self._more(time.monotonic() + duration)
        except TimeoutError:
            return
        raise AssertionError(f"the server sent {self._plain[:200]!r} where it should have said nothing")

    # --- HTTP ----------------------------------------------------------------------------------------------------

    def read_response(self, timeout=DEADLINE, head_only=False):
        head = self.receive_until(b"\r\n\r\n", timeout).decode("latin-1")
        lines = head[:-4].split("\r\n")
        version, status, *reason = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = collections.defaultdict(list)
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()].append(value.strip())
        size = int(headers["content-length"][0]) if headers.get("content-length") else 0
        body = b"" if head_only else self.receive_exactly(size, timeout)
        return Response(int(status), "".join(reason), dict(headers), body)

    def request(self, data, timeout=DEADLINE):
        """Sends literal bytes and reads one response. The server may refuse before it has read everything."""
        try:
            self.send(data)
        except (ConnectionError, ssl.SSLError):
            pass
        return self.read_response(timeout)

    def upgrade(self, target="/v1/stream", timeout=DEADLINE, **changes):
        return self.request(upgrade_request(target, **changes), timeout)

    # --- WebSocket -----------------------------------------------------------------------------------------------

    def read_frame(self, timeout=DEADLINE):
        deadline = time.monotonic() + timeout
        left = lambda: deadline - time.monotonic()
        first, second = self.receive_exactly(2, left())
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.receive_exactly(2, left()))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.receive_exactly(8, left()))
        payload = self.receive_exactly(size, left())
        return Frame(bool(first & 0x80), first >> 4 & 7, first & 15, bool(second & 0x80), payload)

    def read_message(self, timeout=DEADLINE):
        """The next text message as JSON; answers pings on the way."""
        deadline = time.monotonic() + timeout
        while True:
            got = self.read_frame(deadline - time.monotonic())
            if got.opcode == frames.PING:
                self.send(frames.pong(got.payload))
            elif got.opcode == frames.TEXT:
                assert got.fin and got.rsv == 0 and not got.masked
                return json.loads(got.payload)
            elif got.opcode == frames.CLOSE:
                raise PeerClosed(struct.unpack(">H", got.payload[:2])[0], got.payload[2:])

    def read_event(self, event, timeout=DEADLINE):
        """The next message with that `event`; skips others."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.read_message(deadline - time.monotonic())
            if message["event"] == event:
                return message

    def read_close(self, timeout=DEADLINE, answer=True):
        """Reads up to the server's close frame: (code, reason, the JSON messages before it)."""
        deadline = time.monotonic() + timeout
        messages = []
        while True:
            got = self.read_frame(deadline - time.monotonic())
            if got.opcode == frames.TEXT:
                messages.append(json.loads(got.payload))
            if got.opcode == frames.CLOSE:
                code = struct.unpack(">H", got.payload[:2])[0] if got.payload else None
                if answer:
                    try:
                        self.send(frames.frame(frames.CLOSE, got.payload))
                    except OSError:
                        pass
                return Closed(code, got.payload[2:].decode(), messages)

    def expect_close(self, code, timeout=DEADLINE, hangup_within=2.0):
        """The server sends that close code and, our close answered, ends TCP itself. Returns the Closed."""
        closed = self.read_close(timeout)
        assert closed.code == code, f"closed with {closed.code} {closed.reason!r}, expected {code}"
        self.expect_closed(hangup_within)
        return closed


def upgrade_request(target="/v1/stream", method="GET", version="HTTP/1.1", extra=(), **changes):
    """An upgrade request. `changes` replace default headers (None removes one; underscores stand for hyphens);
    `extra` are further header lines, literally."""
    headers = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    for name, value in changes.items():
        name = name.replace("_", "-")
        match = next((known for known in headers if known.lower() == name.lower()), name)
        if value is None:
            headers.pop(match, None)
        else:
            headers[match] = value
    lines = [f"{method} {target} {version}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode("latin-1")
    for line in extra:
        head += b"\r\n" + (line if isinstance(line, bytes) else line.encode("latin-1"))
    return head + b"\r\n\r\n"

"""WebSocket frames as literal bytes (RFC 6455 5.2)."""

import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"


def header(opcode, size, fin=True, rsv=0, mask=MASK, length_bytes=None):
    """The head of a frame; `length_bytes` forces the 0, 2 or 8 byte length form, `mask` None leaves the frame unmasked."""
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    marker = {0: size, 2: 126, 8: 127}[length_bytes] | (0x80 if mask is not None else 0)
    extended = {0: b"", 2: struct.pack(">H", size & 0xFFFF), 8: struct.pack(">Q", size)}[length_bytes]
    return bytes([first, marker]) + extended + (mask or b"")


def masked(payload, mask=MASK):
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def frame(opcode, payload=b"", fin=True, rsv=0, mask=MASK, length_bytes=None):
    if isinstance(payload, str):
        payload = payload.encode()
    head = header(opcode, len(payload), fin, rsv, mask, length_bytes)
    return head + (payload if mask is None else masked(payload, mask))


def text(payload, **options):
    return frame(TEXT, payload, **options)


def ping(payload=b""):
    return frame(PING, payload)


def pong(payload=b""):
    return frame(PONG, payload)


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack(">H", code) + reason)

"""A TLS ClientHello put together by hand (RFC 8446 4.1.2), for hellos that no TLS library would send."""

import os
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

TLS_1_3_SUITES = (0x1301, 0x1302, 0x1303)
NULL_SUITES = (0x0000, 0x0001, 0x0002, 0x003B)
DECODE_ERROR, ILLEGAL_PARAMETER, PROTOCOL_VERSION, HANDSHAKE_FAILURE, UNRECOGNIZED_NAME = 50, 47, 70, 40, 112


def vector(data, length_bytes):
    return len(data).to_bytes(length_bytes, "big") + data


def extension(kind, data):
    return struct.pack(">H", kind) + vector(data, 2)


def server_name(name):
    return extension(0, vector(b"\x00" + vector(name, 2), 2))


def supported_versions(*versions):
    return extension(43, vector(b"".join(struct.pack(">H", v) for v in versions), 1))


def signature_algorithms(*schemes):
    return extension(13, vector(b"".join(struct.pack(">H", s) for s in schemes), 2))


def key_share():
    point = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    return extension(51, vector(struct.pack(">H", 23) + vector(point, 2), 2))


def usual_extensions():
    """What a TLS 1.3 client needs to be answered with a ServerHello."""
    return [
        supported_versions(0x0304),
        extension(10, vector(struct.pack(">H", 23), 2)),
        signature_algorithms(0x0403, 0x0804),
        key_share(),
    ]


def client_hello(extensions=None, version=0x0303, suites=TLS_1_3_SUITES):
    """The records of one ClientHello."""
    extensions = usual_extensions() if extensions is None else extensions
    body = struct.pack(">H", version) + os.urandom(32) + vector(b"", 1)
    body += vector(b"".join(struct.pack(">H", s) for s in suites), 2) + vector(b"\x00", 1)
    body += vector(b"".join(extensions), 2)
    message = b"\x01" + vector(body, 3)
    record_version = min(version, 0x0301)
    return b"".join(
        b"\x16" + struct.pack(">H", record_version) + vector(message[i : i + 16384], 2)
        for i in range(0, len(message), 16384)
    )


def alert_in(data):
    """The description of the alert that `data`, records from a server, begins with; None when it begins otherwise."""
    return data[6] if len(data) >= 7 and data[0] == 21 else None

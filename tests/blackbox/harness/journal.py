"""The journal's file as a stranger reads and writes it while no server has it."""

import contextlib
import pathlib
import shutil
import sqlite3
import struct
import tempfile
import time

MASK = (1 << 64) - 1


@contextlib.contextmanager
def _copy(path):
    """A connection to a copy, because SQLite would fold the write-ahead log of the original."""
    with tempfile.TemporaryDirectory() as directory:
        for suffix in ("", "-wal"):
            file = pathlib.Path(str(path) + suffix)
            if file.exists():
                shutil.copy(file, pathlib.Path(directory) / file.name)
        connection = sqlite3.connect(pathlib.Path(directory) / pathlib.Path(path).name)
        try:
            yield connection
        finally:
            connection.close()


def ids(path):
    """The ids of all records, in order."""
    with _copy(path) as connection:
        return [row[0].decode() for row in connection.execute("SELECT id FROM records ORDER BY sequence")]


def envelopes(path):
    with _copy(path) as connection:
        return [row[0] for row in connection.execute("SELECT bytes FROM records ORDER BY sequence")]


def append_foreign(path, *records, age_ms=0):
    """Appends records as a well-meaning but careless tool would: in the file's form, whatever their content, as if it
    had been `age_ms` ago."""
    connection = sqlite3.connect(path)
    low, high = (value & MASK for value in connection.execute("SELECT key_low, key_high FROM header").fetchone())
    (last,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM records").fetchone()
    now = int(time.time() * 1000) - age_ms
    for sequence, (record_id, data) in enumerate(records, last + 1):
        parts = struct.pack("<QQQQ", sequence, now, siphash(low, high, record_id), siphash(low, high, data))
        checksum = siphash(low, high, parts)
        checksum -= (checksum >> 63) << 64
        connection.execute("INSERT INTO records VALUES(?, ?, ?, ?, ?)", (sequence, now, checksum, record_id, data))
    connection.commit()
    connection.close()


def siphash(low, high, text):
    """SipHash-2-4 with the file's key."""
    v = [low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D, low ^ 0x6C7967656E657261, high ^ 0x7465646279746573]

    def rotated(value, bits):
        return (value << bits | value >> (64 - bits)) & MASK

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotated(v[1], 13) ^ v[0]
            v[0] = rotated(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotated(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotated(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotated(v[1], 17) ^ v[2]
            v[2] = rotated(v[2], 32)

    padded = text + b"\0" * (7 - len(text) % 8) + bytes([len(text) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]

"""Ports for servers under test."""

import contextlib
import random
import socket

FIRST, LAST = 15000, 32000  # below the ports that the kernel gives to outgoing connections


def free_ports(count):
    """So many free ports in a row, on 127.0.0.1. None of them can be taken by an outgoing connection while the server that
    has it is down."""
    while True:
        row = range(start := random.randrange(FIRST, LAST - count), start + count)
        with contextlib.ExitStack() as probes:
            try:
                for port in row:
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return row


def free_port():
    return free_ports(1)[0]

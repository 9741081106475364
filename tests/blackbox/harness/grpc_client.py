"""carillon.v1.EventService as a trading agent calls it: messages made by protoc from proto/, and grpcio's channel."""

import importlib
import queue
import subprocess
import sys
import tempfile

import grpc
from ports import free_port

from harness.server import ROOT

DEADLINE = 20


def _made_by_protoc():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["protoc", f"--proto_path={ROOT}/proto", f"--python_out={folder}", "carillon/v1/events.proto"], check=True
        )
        sys.path.insert(0, folder)
        try:
            return importlib.import_module("carillon.v1.events_pb2")
        finally:
            sys.path.remove(folder)


pb = _made_by_protoc()


def listening():
    """A configuration that has a port for gRPC."""
    return {"grpc": {"listen": "127.0.0.1:%d" % free_port()}}


def address(server):
    return server.config["grpc"]["listen"].replace("127.0.0.1", "localhost")


class Client:
    """One connection with one token; `token` None sends none."""

    def __init__(self, server, token=..., credentials=..., options=()):
        self._metadata = [("authorization", f"Bearer {server.token('publisher', scope='publish')}")]
        if token is not ...:
            self._metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        if credentials is ...:
            credentials = grpc.ssl_channel_credentials(server.authority.pem)
        # Without this, clients in one process share a connection.
        options = [("grpc.use_local_subchannel_pool", 1), *options]
        if credentials is None:
            self.channel = grpc.insecure_channel(address(server), options)
        else:
            self.channel = grpc.secure_channel(address(server), credentials, options)
        self._publish = self.channel.unary_unary(
            "/carillon.v1.EventService/Publish",
            request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
            response_deserializer=pb.PublishResponse.FromString,
        )
        self._stream = self.channel.stream_stream(
            "/carillon.v1.EventService/PublishStream",
            request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
            response_deserializer=pb.Answer.FromString,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def publish(self, *events):
        """The response; grpc.RpcError when it is refused. Bytes alone are sent as they are."""
        request = events[0] if events and isinstance(events[0], bytes) else pb.PublishRequest(events=events)
        return self._publish(request, metadata=self._metadata, timeout=DEADLINE)

    def stream(self, events=None, timeout=DEADLINE):
        return Stream(lambda requests: self._stream(requests, metadata=self._metadata, timeout=timeout), events)

    def refusal(self, *events):
        """The error of a publish() that must not succeed."""
        try:
            response = self.publish(*events)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"accepted: {response}")


class Stream:
    """One PublishStream. `events`: all there is to send; without it send() says what, until close()."""

    def __init__(self, begin, events=None):
        self._queue = queue.SimpleQueue()
        self.sent = 0
        self.call = begin(self._requests(iter(self._queue.get, None) if events is None else events))

    def _requests(self, events):
        for event in events:
            self.sent += 1
            yield event

    def send(self, *events):
        for event in events:
            self._queue.put(event)

    def close(self):
        """Nothing more is sent."""
        self._queue.put(None)

    def answers(self, count=None):
        """The next answers; without a count all until the end, which must be OK."""
        if count is None:
            return list(self.call)
        return [next(self.call) for _ in range(count)]

    def end(self):
        """Reads to the end: (answers, status, its words)."""
        answers = []
        try:
            for answer in self.call:
                answers.append(answer)
        except grpc.RpcError as error:
            return answers, error.code(), error.details()
        return answers, grpc.StatusCode.OK, ""


def refusals(error):
    """What INVALID_ARGUMENT says of each event: (index, reason, pointer)."""
    found = dict(error.trailing_metadata())["carillon-refusals-bin"]
    return [(r.index, r.reason, r.pointer) for r in pb.Refusals.FromString(found).refusals]

"""The publishing calls of protocol 8.5, over one keep-alive connection."""

import http.client
import json


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:300]}"


class Rest:
    """`on_accepted` is called with the JSON of every 202."""

    def __init__(self, address, context, token, on_accepted=lambda answer: None):
        self._connection = http.client.HTTPSConnection(*address, context=context, timeout=15)
        self._token = token
        self._on_accepted = on_accepted

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()

    def local_address(self):
        return self._connection.sock.getsockname()

    def call(self, method, path, body=None, headers=None):
        """One call; a header of None is left out."""
        all_headers = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        all_headers = {name: value for name, value in all_headers.items() if value is not None}
        self._connection.request(method, path, body, all_headers)
        return Answer(self._connection.getresponse())

    def post(self, body, content_type="application/json", **headers):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        answer = self.call("POST", "/v1/events", body, {"Content-Type": content_type, **headers})
        if answer.status == 202:
            self._on_accepted(answer.json)
        return answer

    def publish(self, *events):
        """Publishes and insists on 202; returns the answer's JSON."""
        answer = self.post(list(events) if len(events) != 1 else events[0])
        assert answer.status == 202, answer
        return answer.json

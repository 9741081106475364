"""The Prometheus page of the admin listener, read into a dictionary."""

import re

# The names that the harness relies on.
CONNECTIONS = "carillon_connections"
HTTP_RESPONSES = "carillon_http_responses_total"
SESSIONS_CLOSED = "carillon_sessions_closed_total"

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape."""

    def __init__(self, page):
        self.samples = {}
        for line in page.splitlines():
            if not line or line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            assert match, f"not a Prometheus sample: {line!r}"
            labels = frozenset(_LABEL.findall(match[2] or ""))
            assert (match[1], labels) not in self.samples, f"sample given twice: {line!r}"
            self.samples[match[1], labels] = float(match[3])

    def count(self, name, **labels):
        """A counter that does not show before it first counts."""
        wanted = {(label, str(value)) for label, value in labels.items()}
        return sum(value for (n, have), value in self.samples.items() if n == name and wanted <= have)

    def total(self, name, **labels):
        """The sum of the samples of that name that carry these labels; fails when there is none."""
        wanted = set(labels.items())
        values = [value for (n, have), value in self.samples.items() if n == name and wanted <= have]
        assert values, f"no metric {name} {labels or ''}"
        return sum(values)

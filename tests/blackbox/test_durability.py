"""What was answered with 202 survives whatever happens to the process; a journal that is not whole is refused by name
(product: nothing lost; cases I1, I2, J19, J20)."""

import hashlib
import http.client
import os
import sqlite3
import ssl
import threading

import pytest

from harness import events, journal
from harness.server import StartFailed
from harness.waiting import until


class Publishers:
    """Threads that publish one event a call as fast as they can until the server is gone."""

    def __init__(self, server, count):
        self.answered = []
        self.unanswered = []
        self._server = server
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self):
        with self._server.rest() as rest:
            while True:
                event = events.order("alice")
                try:
                    answer = rest.post(event)
                except (OSError, ssl.SSLError, http.client.HTTPException):
                    self.unanswered.append(event)
                    return
                assert answer.status == 202, answer
                self.answered.append(event)

    def join(self):
        for thread in self._threads:
            thread.join()


def test_kill_during_publishing_loses_nothing_that_was_answered_and_repeats_nothing(carillon):
    server = carillon().start()
    answered = []
    for _ in range(3):
        publishers = Publishers(server, 6)
        until(lambda: len(publishers.answered) >= 1500, 60, "1500 answered calls")
        server.kill()
        publishers.join()
        answered += publishers.answered
        assert len(publishers.unanswered) >= 1

        server.start()
        stored = journal.ids(server.journal)
        assert len(stored) == len(set(stored))
        assert {event["id"] for event in answered} <= set(stored)
        # I2: repeating a call whose answer was lost is safe, whether the log has it or not.
        repeated = server.publish(*publishers.unanswered, *publishers.answered[-20:])
        assert repeated["duplicates"] >= 20
        assert repeated["accepted"] + repeated["duplicates"] == len(publishers.unanswered) + 20
    assert server.stop() == 0
    assert len(journal.ids(server.journal)) == len(answered) + 3 * 6


def test_kill_in_the_middle_of_batches_keeps_each_of_them_whole_or_not_at_all(carillon):
    server = carillon().start()
    batches, lock = [], threading.Lock()

    def publish():
        with server.rest() as rest:
            while True:
                batch = [events.alert() for _ in range(200)]
                with lock:
                    batches.append(batch)
                try:
                    rest.publish(*batch)
                except (OSError, ssl.SSLError, http.client.HTTPException):
                    return

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(batches) > 40, 30)
    server.kill()
    for thread in threads:
        thread.join()
    stored = set(journal.ids(server.journal))
    for batch in batches:
        assert len(stored & {event["id"] for event in batch}) in (0, 200)
    server.start()


def test_i1_an_event_answered_before_the_kill_is_a_duplicate_after_it(carillon):
    server = carillon().start()
    event = events.order("alice")
    before = server.publish(event)
    server.kill()
    server.start()
    with server.connect("alice") as alice:
        again = server.publish(event)
        assert (again["accepted"], again["duplicates"], again["position"]) == (0, 1, before["position"])
        marker = events.alert()
        server.publish(marker)
        assert alice.notification()["payload"] == marker["payload"]


def test_restart_keeps_events_ids_and_the_text_of_numbers(carillon):
    server = carillon().start()
    event = events.signal(entry_price=0.1)
    server.publish(event)
    assert server.stop() == 0
    assert b'"entry_price":0.1,' in journal.envelopes(server.journal)[0]
    server.start()
    with server.rest() as rest:
        assert rest.publish(event)["duplicates"] == 1
        assert rest.post({**event, "payload": {**event["payload"], "entry_price": 0.2}}).status == 409


def test_j20_second_process_on_one_journal_is_refused_by_name(carillon):
    first = carillon().start()
    second = carillon({"log.journal": {"path": str(first.journal)}})
    with pytest.raises(StartFailed) as refusal:
        second.start()
    assert refusal.value.code > 0
    assert str(first.journal) in refusal.value.output
    first.publish(events.alert())
    with first.connect("alice") as alice:
        first.publish(events.alert())
        alice.notification()
    first.kill()
    second.start()


def refuses_journal(server):
    """The server does not start on its journal, names it, and leaves it as it is. Returns what it said."""

    def content():
        return hashlib.sha256(server.journal.read_bytes()).digest() if server.journal.is_file() else None

    before = content()
    with pytest.raises(StartFailed) as refusal:
        server.start()
    assert refusal.value.code > 0
    assert str(server.journal) in refusal.value.output or "journal.db" in refusal.value.output
    assert content() == before
    return refusal.value.output


def foreign_database(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE trades(id INTEGER)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("this is a letter, not a journal\n" * 100),
        lambda path: path.write_bytes(b"\0" * 8192),
        foreign_database,
        lambda path: path.mkdir(),
    ],
    ids=["empty", "text", "zeros", "another database", "folder"],
)
def test_j19_foreign_journal_is_refused_and_left_alone(carillon, make):
    server = carillon()
    make(server.journal)
    refuses_journal(server)


def written_journal(server):
    """A server's journal with some thousand records, the server stopped."""
    server.start()
    for _ in range(4):
        server.publish(*[events.alert(message="m" * 200) for _ in range(500)])
    assert server.stop() == 0


def folded(server):
    """Everything in the one file, so that damage to it cannot be covered by the write-ahead log."""
    connection = sqlite3.connect(server.journal)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_j19_flipped_bit_in_a_record_is_refused(carillon):
    server = carillon()
    written_journal(server)
    folded(server)
    data = bytearray(server.journal.read_bytes())
    place = data.index(b"mmmmmmmm", len(data) // 2)
    data[place] ^= 1
    server.journal.write_bytes(data)
    assert "damaged" in refuses_journal(server)


def test_j19_truncated_journal_is_refused(carillon):
    server = carillon()
    written_journal(server)
    folded(server)
    os.truncate(server.journal, server.journal.stat().st_size // 2)
    refuses_journal(server)


def test_j19_missing_write_ahead_log_is_refused(carillon):
    server = carillon()
    server.start()
    server.publish(*[events.alert() for _ in range(100)])
    server.kill()
    wal = server.directory / "journal.db-wal"
    assert wal.stat().st_size > 0
    wal.unlink()
    refuses_journal(server)


def test_j19_acknowledged_records_cut_off_the_write_ahead_log_are_noticed(carillon):
    server = carillon()
    server.start()
    for _ in range(20):
        server.publish(events.alert())
    server.kill()
    wal = server.directory / "journal.db-wal"
    os.truncate(wal, wal.stat().st_size // 2)
    assert "acknowledged" in refuses_journal(server)


def test_j19_torn_unacknowledged_tail_is_recovered(carillon):
    server = carillon()
    server.start()
    accepted = [events.alert() for _ in range(10)]
    server.publish(*accepted)
    server.kill()
    with open(server.directory / "journal.db-wal", "ab") as wal:
        wal.write(os.urandom(3000))
    server.start()
    assert server.publish(*accepted)["duplicates"] == 10


def test_journal_path_that_cannot_be_made_is_refused_by_name(carillon):
    server = carillon({"log.journal": {"path": "no/such/folder/journal.db"}})
    with pytest.raises(StartFailed) as refusal:
        server.start()
    assert "no/such/folder" in refusal.value.output

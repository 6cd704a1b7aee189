#!/usr/bin/env python3
"""Records a state directory as a released version leaves it, for the tests of upgrades.

usage: make_state.py DIRECTORY

CHARGIFYD and CHARGIFYCTL name the binaries of that version. The directory (state-v1: schema 1) gets

    journal/    sealed and compressed segments, and the newest one
    state.db    made from the first part of the journal only, all of whose segments but the newest were sealed by then:
                it serves as the state of a daemon that was stopped before it had applied everything, and as the
                snapshot that stands in for segments that retention deleted

What is in it: lives of subscriptions as `chargifyctl simulate` plays them, events that only a later version reads
whole or knows at all, a dead letter of each kind, a webhook that was sent twice, the test button. Only the times of
reception depend on the day on which it is made.
"""
import pathlib
import shutil
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from harness import *  # noqa: E402

SEGMENT_BYTES = 65536


def notice(webhook_id, event, *pairs):
    """A payload that is no whole subscription."""
    common = [("id", webhook_id), ("event", event), ("payload[site][id]", 42), ("payload[site][subdomain]", "acme")]
    return form([*common, *pairs, ("payload[event_id]", webhook_id)])


def hash_of(path, **values):
    return [(f"payload{path}[{key}]", value) for key, value in values.items()]


WHEN = "2026-01-05 10:00:00 -0500"
OWNER = [("payload[subscription][id]", 100), ("payload[subscription][state]", "active"), ("payload[customer][id]", 7)]


def special(first_id):
    """Bodies whose meaning grew with the versions after the first, each id once."""
    ids = iter(range(first_id, first_id + 100))
    transaction = hash_of("[transaction]", id=first_id + 5000, type="Payment", kind="one_time", success="true",
                          amount_in_cents=1000, memo="Canary memo", created_at=WHEN, subscription_id=100)
    yield subscription(next(ids), event="signup_success", updated_at="2026-01-01 10:00:00 -0500")
    yield notice(next(ids), "invoice_issued", *OWNER, *hash_of(
        "[invoice]", uid=f"inv_{first_id}", number="17", status="open", issue_date="2026-01-05", total_amount="10.0",
        due_amount="10.0", subscription_id=100, customer_id=7, created_at=WHEN, updated_at=WHEN))
    yield notice(next(ids), "component_allocation_change", *OWNER, *hash_of(
        "[component]", id=55, name="Seats", kind="quantity_based_component", unit_name="seat"),
        *hash_of("", previous_allocation=1, new_allocation=3, timestamp=WHEN))
    yield notice(next(ids), "metered_usage", *OWNER, *hash_of(
        "[component]", id=56, name="Calls", kind="metered_component", unit_name="call"),
        *hash_of("", previous_unit_balance="0.0", new_unit_balance="12.5", usage_quantity="12.5", timestamp=WHEN))
    yield notice(next(ids), "statement_closed", *OWNER, *hash_of(
        "[statement]", id=first_id + 6000, opened_at="2026-01-01 10:00:00 -0500", closed_at=WHEN, total_in_cents=1000,
        created_at=WHEN, updated_at=WHEN, subscription_id=100),
        *hash_of("[statement][transactions][]", id=first_id + 5001, type="Charge", kind="baseline", success="true",
                 amount_in_cents=1000, created_at=WHEN, subscription_id=100))
    yield notice(next(ids), "refund_success", *OWNER, *hash_of(
        "", refund_id=first_id + 7000, payment_id=first_id + 5000, amount_in_cents=500, timestamp=WHEN))
    yield notice(next(ids), "brand_new_event", *transaction)
    yield notice(next(ids), "event_without_content", *hash_of("[surprise]", word="nothing of use"))
    twice = next(ids)
    for state in ("active", "past_due"):  # one id, two bodies: the second changes nothing
        yield subscription(twice, state=state, updated_at=WHEN)
    yield subscription(next(ids), site="other")
    yield b"no webhook %zz" + str(first_id).encode()


def control(daemon, path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(daemon.state_directory / "control.sock"))
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while block := s.recv(4096):
            answer += block
    assert answer.startswith(b"HTTP/1.1 200"), answer


def play(daemon, seed, first_id):
    key = str(daemon.folder / "acme-0.key")
    daemon.ctl("simulate", f"http://127.0.0.1:{daemon.http}/webhooks/acme", "--site", "acme", "--key-file", key,
               "--seed", str(seed), "--lives", "1", "--duplicates", "10")
    for body in special(first_id):
        assert daemon.post(body) == 200
    daemon.ctl("simulate", "test", f"http://127.0.0.1:{daemon.http}/webhooks/acme", "--key-file", key)
    daemon.settle()


def main():
    target = pathlib.Path(sys.argv[1])
    target.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(folder, tls=False, extra=f"[journal]\nsegment_bytes = {SEGMENT_BYTES}\n")
        journal = daemon.state_directory / "journal"
        try:
            for part in (1, 2):
                daemon.start()
                play(daemon, part, 90000000 + part * 10000)
                control(daemon, "/v1/control/maintain")
                assert daemon.stop() == 0
                if part == 1:
                    assert pathlib.Path(f"{daemon.state_file}-wal").stat().st_size == 0
                    shutil.copyfile(daemon.state_file, target / "state.db")
                    sealed = len(list(journal.glob("*.zst")))
                    assert sealed > 0
            assert len(list(journal.glob("*.zst"))) > sealed
            shutil.copytree(journal, target / "journal")
        finally:
            daemon.kill()


if __name__ == "__main__":
    main()

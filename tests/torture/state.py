"""The state is held up: by a reader, by a lock, by webhooks out of order."""
import json
import os
import re
import sqlite3
import subprocess
import threading
import time

from support import KEY, MIB, Ledger, Load, Skip, harness, metric, wait_for


def reader(run):
    """A reader that keeps its snapshot delays no answer; its WAL is noticed while it grows and shrinks when it has gone."""
    daemon = run.daemon(tls=False, extra="[pipeline]\nbatch_webhooks = 2\n")
    daemon.start()
    ledger = Ledger()
    with Load(daemon, ledger, senders=4):
        wait_for(lambda: len(ledger.acknowledged) > 100, "there is something to read")
    daemon.settle()
    longest, peak = 0.0, 0.0
    for _ in run.rounds(1):
        snapshot = sqlite3.connect(f"file:{daemon.state_file}?mode=ro", uri=True)
        snapshot.execute("BEGIN")
        seen = snapshot.execute("SELECT count(*) FROM events").fetchone()
        ledger.seconds.clear()
        with Load(daemon, ledger, senders=4, padding=0):
            wait_for(lambda: daemon.find_log("holds an old snapshot"), "the operator is told of the reader")
        daemon.settle()
        assert snapshot.execute("SELECT count(*) FROM events").fetchone() == seen, "the snapshot changed"
        peak = max(peak, metric(daemon, "chargifyd_state_wal_bytes"))
        longest = max(longest, ledger.slowest(0.99))
        assert ledger.statuses[503] + ledger.statuses[0] == 0, "a reader cost an answer"
        assert longest < 1, f"99 of 100 answers came within {longest:.2f} s only"
        snapshot.execute("COMMIT")
        snapshot.close()
        with Load(daemon, ledger, senders=1, pause=0.05):
            wait_for(lambda: metric(daemon, "chargifyd_state_wal_bytes") <= 16 * MIB, "the WAL shrinks")
    ledger.verify(daemon)
    assert daemon.stop() == 0
    run.note(f"99 % of answers within {longest * 1e3:.0f} ms, WAL up to {peak / MIB:.0f} MiB")


def backlog(run):
    """100,000 webhooks wait while the state is locked; they are applied while new ones go on being acknowledged."""
    key_option = ["--key", KEY]
    daemon = run.daemon(tls=False)
    daemon.start()
    url = f"http://127.0.0.1:{daemon.http}/webhooks/acme"
    for n in run.rounds(1):
        base = daemon.journalled()
        lock = sqlite3.connect(daemon.state_file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        sent = json.loads(daemon.ctl("simulate", "load", *key_option, "--webhooks", "100000", "--duration", "100", "--body-bytes", "2048",
                                     "--connections", "32", "--first", str(1 + n * 1000000), url).stdout)
        took = time.monotonic() - begun
        waiting = daemon.journalled() - base
        assert sent["acknowledged"] == waiting == 100000, sent
        assert daemon.admin_json("/readyz")[1]["apply_lag_webhooks"] >= 100000
        assert daemon.request("GET", "/healthz")[0] == 200
        lock.execute("COMMIT")
        lock.close()
        begun = time.monotonic()
        ledger = Ledger(500_000_000 + n * 1000000)
        with Load(daemon, ledger, senders=2, pause=0.01):
            while daemon.admin_json("/readyz")[1]["applied_sequence"] < base + waiting:
                assert time.monotonic() < begun + 300, "the backlog is not applied within five minutes"
                time.sleep(0.1)
            drained = time.monotonic() - begun
        assert ledger.statuses[503] + ledger.statuses[0] == 0, "the backlog cost an answer"
        ledger.verify(daemon)
        run.note(f"journalled in {took:.0f} s, applied in {drained:.0f} s ({waiting / drained:,.0f}/s); meanwhile "
                 f"{len(ledger.acknowledged)} acknowledged, the slowest in {ledger.slowest() * 1e3:.0f} ms")
    assert daemon.stop() == 0


def order(run):
    """Random histories, with duplicates and in any order, end in the same state (tests/property)."""
    program = os.environ.get("PROPERTY_TEST")
    if not program:
        raise Skip("needs --property-test")
    histories = run.wanted or 4000
    limit = run.until - time.monotonic() if run.until else None
    try:
        done = subprocess.run([program], env={**os.environ, "CHARGIFYD_HISTORIES": str(histories)}, capture_output=True, text=True,
                              timeout=limit)
    except subprocess.TimeoutExpired:
        raise Skip(f"{histories} histories do not fit into the time") from None
    assert done.returncode == 0, done.stdout[-2000:]
    run.done = histories
    passed = re.search(r"PASSED +\] (\d+)", done.stdout)
    run.note(f"{passed.group(1) if passed else 'all'} properties hold")

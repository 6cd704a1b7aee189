"""What the campaigns share: load that knows what was acknowledged, injected faults, and what a process uses."""
import collections
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
import harness
from harness import *  # noqa: F401,F403

MIB = 1024 * 1024


class Skip(Exception):
    """The machine cannot do what the case needs."""


class Run:
    """One case: its rounds, its random numbers, its folder, its daemons."""

    def __init__(self, folder, seed, rounds=None, minutes=None):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.wanted = rounds
        self.until = time.monotonic() + minutes * 60 if minutes else None
        self.done = 0
        self.notes = []
        self.daemons = []

    def rounds(self, default):
        """Counts rounds: as many as were asked for, or as fit into the time, or the default."""
        while self.done < (self.wanted or (10 ** 9 if self.until else default)):
            if self.until and time.monotonic() > self.until:
                return
            yield self.done
            self.done += 1

    def daemon(self, name="one", **options):
        daemon = Daemon(self.folder / name, **options)
        self.daemons.append(daemon)
        return daemon

    def note(self, text):
        self.notes.append(text)

    def close(self):
        for daemon in self.daemons:
            daemon.kill()


class Ledger:
    """Numbers webhooks, each sent once, and remembers which were acknowledged."""

    def __init__(self, first=1):
        self.lock = threading.Lock()
        self.next_number = first
        self.acknowledged = []
        self.statuses = collections.Counter()  # 0: the connection broke before an answer
        self.seconds = []                      # of answers, in the order they came
        self.bodies = {}                       # some of those acknowledged, to compare

    def take(self):
        with self.lock:
            self.next_number += 1
            return self.next_number - 1

    def record(self, number, body, status, seconds):
        if status == 200:
            self.acknowledged.append(number)
            if number % 97 == 0:
                self.bodies[number] = body
        elif status not in (0, 503):
            raise AssertionError(f"answered {status}")
        with self.lock:
            self.statuses[status] += 1
            if status:
                self.seconds.append(seconds)

    def slowest(self, share=1.0):
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    def verify(self, daemon):
        """What was acknowledged is there and applied once, byte for byte; nothing contradicts itself."""
        daemon.settle()
        rows = daemon.sql("SELECT webhook_id, seq, deliveries, outcome FROM events")
        found = {row[0]: row for row in rows}
        lost = set(self.acknowledged) - set(found)
        assert not lost, f"{len(lost)} acknowledged webhooks are lost: {sorted(lost)[:5]}"
        assert len(found) == len(rows), "a webhook has two rows"
        again = [row for row in rows if row[2] != 1 or row[3] == "dead"]
        assert not again, f"applied more than once, or dead: {again[:5]}"
        journalled = daemon.journalled()
        assert len(rows) == journalled, f"{journalled} journalled, {len(rows)} applied"
        counted = daemon.sql("SELECT coalesce(sum(webhooks), 0) FROM sites")[0][0]
        assert counted == journalled, f"{journalled} journalled, {counted} counted when applied"
        assert daemon.sql("PRAGMA integrity_check") == [("ok",)], "state.db is damaged"
        checked = daemon.ctl("check", check=False)
        assert checked.returncode == 0, "chargifyctl check: " + checked.stderr
        for number, body in list(self.bodies.items())[-3:]:
            stored = subprocess.run([harness.CHARGIFYCTL, "--config", str(daemon.config), "events", "show", str(found[number][1]),
                                     "--raw"], capture_output=True, check=True).stdout
            assert stored == body, f"webhook {number} was stored with other bytes"


class Load:
    """Threads that post webhooks of a ledger until they are told to end, or, with `until_it_breaks`, until their connection does."""

    def __init__(self, daemon, ledger, senders=8, padding=3000, subscriptions=50, until_it_breaks=False, pause=0.0, timeout=PATIENCE):
        self.daemon, self.ledger = daemon, ledger
        self.padding, self.subscriptions = padding, subscriptions
        self.until_it_breaks, self.pause, self.timeout = until_it_breaks, pause, timeout
        self.ending = threading.Event()
        self.failed = []
        self.threads = [threading.Thread(target=self.send) for _ in range(senders)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        self.join()
        if self.failed and kind is None:
            raise self.failed[0]

    def join(self):
        for t in self.threads:
            t.join()

    def broken(self):
        return not any(t.is_alive() for t in self.threads)

    def fill(self, number):
        """Fields that make the bodies differ in size, up to the padding; a single value may not be longer than 64 KiB."""
        size = number * 7919 % self.padding if self.padding else 0
        return {f"padding_{at}": "x" * min(50_000, size - at) for at in range(0, size, 50_000)}

    def send(self):
        connection = None
        try:
            while not self.ending.is_set():
                number = self.ledger.take()
                body = subscription(number, id=1 + number % self.subscriptions, **self.fill(number))
                begun = time.monotonic()
                try:
                    if connection is None:
                        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.http, timeout=self.timeout)
                    connection.request("POST", "/webhooks/acme", body, {SIGNATURE: sign(body)})
                    answer = connection.getresponse()
                    answer.read()
                    self.ledger.record(number, body, answer.status, time.monotonic() - begun)
                    if answer.status == 503:
                        self.ending.wait(0.02)
                    if answer.will_close:
                        connection.close()
                except (OSError, http.client.HTTPException):
                    self.ledger.record(number, body, 0, time.monotonic() - begun)
                    if connection is not None:
                        connection.close()
                    connection = None
                    if self.until_it_breaks:
                        return
                    self.ending.wait(0.05)
                if self.pause:
                    self.ending.wait(self.pause)
        except AssertionError as e:
            self.failed.append(e)
        finally:
            if connection is not None:
                connection.close()


@contextlib.contextmanager
def inject(pid, *rules):
    """Has strace falsify system calls of a running process: `rules` as strace -e takes them. Counts of `when=` are per thread and
    begin with the first call made here."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    calls = ",".join(rule.split(":", 1)[0] for rule in rules)
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "signal=none"]
    for rule in rules:
        command += ["-e", "inject=" + rule]
    tracer = subprocess.Popen([*command, "-p", str(pid)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: tracer.poll() is not None or is_traced(pid, tracer.pid), "strace holds every thread")
        if tracer.poll() is not None:
            said = tracer.stderr.read().decode(errors="replace")
            if "ermitted" in said:
                raise Skip("strace may not attach here")
            raise AssertionError("strace: " + said)
        yield tracer
    finally:
        if tracer.poll() is None:
            tracer.terminate()
        try:
            tracer.wait(10)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
        tracer.stderr.close()


def is_traced(pid, tracer):
    try:
        return all(f"\nTracerPid:\t{tracer}\n" in (t / "status").read_text() for t in pathlib.Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True  # it ended, which strace will notice


def memory(pid):
    """Resident bytes."""
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def metric(daemon, name):
    """The value of a metric, summed over its labels."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in daemon.metrics().splitlines()
               if line.startswith((name + " ", name + "{")))

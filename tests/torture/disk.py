"""The disk is full, slow, or fails."""
import os
import shutil
import subprocess
import time

from support import MIB, Ledger, Load, Skip, inject, memory, metric, wait_for


class SmallDisk:
    """A file system of a few MiB in memory, whose size can be changed."""

    def __init__(self, where, mib):
        if os.geteuid() != 0:
            raise Skip("mounting a small file system needs root")
        self.where = where
        where.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(where)], capture_output=True, text=True)
        if done.returncode:
            raise Skip("cannot mount here: " + done.stderr.strip())

    def __enter__(self):
        return self

    def resize(self, mib):
        subprocess.run(["mount", "-o", f"remount,size={mib}m", str(self.where)], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", str(self.where)], check=False)


def disk_full(run):
    """A disk that fills up answers 503, stays readable, and goes on by itself when there is space, without a floor and with one."""
    refused = 0
    for n in run.rounds(4):
        floor = 0 if n % 2 == 0 else 2 * MIB
        daemon = run.daemon(f"disk-{n}", tls=False, extra=f"[journal]\nsegment_bytes = 1048576\ndisk_floor_bytes = {floor}\n")
        with SmallDisk(daemon.state_directory, 12) as disk:
            os.chmod(daemon.state_directory, 0o750)
            daemon.start()
            process = daemon.process.pid
            ledger = Ledger()
            with Load(daemon, ledger, senders=4):
                wait_for(lambda: ledger.statuses[503] >= 20, "the full disk is answered 503")
                assert daemon.request("GET", "/healthz")[0] == 503
                assert daemon.find_log("disk full"), "no warning was logged"
                at_full = len(ledger.acknowledged)
                assert at_full > 0
                readable = daemon.sql("SELECT count(*) FROM events")[0][0]
                assert daemon.admin_request("GET", "/v1/events?after=0")[0] == 200
                disk.resize(64)
                wait_for(lambda: len(ledger.acknowledged) > at_full + 100, "webhooks are taken again without a restart")
            refused += ledger.statuses[503]
            assert ledger.statuses[0] == 0, "a connection broke"
            ledger.verify(daemon)
            assert readable <= len(ledger.acknowledged)
            assert daemon.process.poll() is None and daemon.process.pid == process
            assert daemon.request("GET", "/healthz")[0] == 200
            assert daemon.stop() == 0
    run.note(f"{refused} answered 503 while full")


def slow_sync(run):
    """Syncs that take 0.2 to 5 s delay answers, but each comes before the sender gives up (15 s), and memory does not grow."""
    daemon = run.daemon(tls=False)
    daemon.start()
    ledger = Ledger()
    with Load(daemon, ledger, senders=4):
        wait_for(lambda: len(ledger.acknowledged) > 200, "the daemon is warm")
    base = memory(daemon.process.pid)
    slowest = 0.0
    peak = base
    delays = (0.2, 1, 5)
    for n in run.rounds(len(delays)):
        delay = delays[n % len(delays)]
        before = len(ledger.acknowledged)
        ledger.seconds.clear()
        with inject(daemon.process.pid, f"fdatasync:delay_exit={int(delay * 1e6)}"):
            with Load(daemon, ledger, senders=64, timeout=15):
                end = time.monotonic() + max(4.0, delay * 3.2)
                while time.monotonic() < end:
                    peak = max(peak, memory(daemon.process.pid))
                    assert daemon.request("GET", "/healthz")[0] in (200, 503)
                    time.sleep(0.2)
        assert len(ledger.acknowledged) > before, "nothing was acknowledged"
        assert ledger.slowest() >= delay, "the delay had no effect"
        assert ledger.slowest() < 15, f"an answer took {ledger.slowest():.1f} s"
        slowest = max(slowest, ledger.slowest())
    assert ledger.statuses[0] == 0, "an answer did not come within 15 s"
    assert peak - base < 64 * MIB, f"memory grew by {(peak - base) // MIB} MiB"
    ledger.verify(daemon)
    assert daemon.stop() == 0
    run.note(f"slowest answer {slowest:.1f} s, memory grew by {(peak - base) / MIB:.0f} MiB at most")


# What the daemon does to its files, each with errors that the call can end with.
FAULTS = [("fdatasync", "EIO"), ("fdatasync", "ENOSPC"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("fallocate", "EIO"),
          ("fallocate", "ENOSPC"), ("ftruncate", "EIO"), ("openat", "EIO"), ("openat", "EMFILE"), ("openat", "EACCES"), ("fsync", "EIO"),
          ("unlink", "EIO"), ("rename", "EIO"), ("pread64", "EIO"), ("fcntl", "ENOLCK"), ("statfs", "EIO"), ("newfstatat", "EIO")]


def fail_sync(run):
    """The k-th call of a kind fails, once or from then on: no 200 without the webhook on disk, and the next start has all."""
    outcomes = {"ended": 0, "went on": 0}
    daemon = run.daemon(tls=False, extra="[journal]\nsegment_bytes = 65536\ndisk_floor_bytes = 0\n")
    daemon.start()
    ledger = Ledger()
    plan = [(call, error, k, sticky) for k in (1, 2, 3, 7, 20) for call, error in FAULTS for sticky in (False, True)]
    for n in run.rounds(60):
        call, error, k, sticky = plan[n % len(plan)] if n < len(plan) else (*run.random.choice(FAULTS), run.random.randint(1, 60),
                                                                         run.random.random() < 0.5)
        what = f"{call} {k}{'+' if sticky else ''} {error}"
        before = ledger.statuses[200]
        with inject(daemon.process.pid, f"{call}:error={error}:when={k}{'+' if sticky else ''}"):
            with Load(daemon, ledger, senders=4, until_it_breaks=True) as load:
                end = time.monotonic() + 3
                while not load.broken() and ledger.statuses[200] < before + 60 and time.monotonic() < end:
                    time.sleep(0.01)
            if daemon.find_log("the journal failed"):
                daemon.process.wait(30)
        if daemon.process.poll() is None:
            # Whatever could not be done goes on by itself once it can.
            outcomes["went on"] += 1
            wait_for(lambda: daemon.request("GET", "/healthz")[0] == 200, "healthy again after " + what)
            daemon.settle()
            daemon.kill()
        else:
            outcomes["ended"] += 1
            assert daemon.process.returncode == 1, f"{what}: ended with {daemon.process.returncode}"
        daemon.start()
        try:
            if n % 10 == 9:
                ledger.verify(daemon)
            else:
                daemon.settle()
                rows = {row[0] for row in daemon.sql("SELECT webhook_id FROM events")}
                assert not set(ledger.acknowledged) - rows, "acknowledged webhooks are lost"
        except AssertionError as e:
            raise AssertionError(f"{what}: {e}") from e
    ledger.verify(daemon)
    assert daemon.stop() == 0
    run.note(f"{len(ledger.acknowledged)} acknowledged; the daemon ended {outcomes['ended']} times and went on {outcomes['went on']} times")

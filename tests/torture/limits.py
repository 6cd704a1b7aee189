"""The system gives the daemon less than it asks for."""
import os
import resource
import signal
import socket
import time

from support import MIB, Ledger, Load, Skip, descriptors, harness, inject, shutil, subprocess, subscription, wait_for


def emfile(run):
    """No descriptors left: connections that are open are served, others wait, and all is well when some are free."""
    if not shutil.which("prlimit"):
        raise Skip("prlimit is not installed")
    daemon = run.daemon(tls=False, extra="[journal]\nsegment_bytes = 65536\n", extra_ingress="idle_timeout_seconds = 3\n")
    daemon.start(prefix=("prlimit", "--nofile=200:200"))
    pid = daemon.process.pid
    ledger = Ledger()

    def post_one(connection=None):
        number = ledger.take()
        body = subscription(number, padding="x" * 3000)
        status = daemon.post(body, connection=connection)
        assert status == 200, f"answered {status}"
        ledger.record(number, body, status, 0)

    most = 0
    for n in run.rounds(6):
        if n % 2 == 0:
            # More clients than descriptors, while one of them goes on.
            kept = daemon.connection()
            kept.connect()
            crowd = [socket.create_connection(("127.0.0.1", daemon.http)) for _ in range(400)]
            for _ in range(40):  # more than one segment of the journal
                post_one(kept)
                most = max(most, descriptors(pid))
            for s in [*crowd, kept]:
                s.close()
        else:
            with inject(pid, "accept:error=EMFILE:when=1..20", "accept4:error=ENFILE:when=1..20"):
                with Load(daemon, ledger, senders=4):
                    target = len(ledger.acknowledged) + 50
                    wait_for(lambda: len(ledger.acknowledged) >= target, "connections are taken again")
        assert daemon.process.poll() is None, "the daemon ended"
        post_one()
    ledger.verify(daemon)
    assert daemon.stop() == 0
    run.note(f"{len(ledger.acknowledged)} acknowledged, at most {most} of 200 descriptors in use")


def threads(run):
    """The k-th thread cannot be made: the start fails and says so, and the next one works."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    daemon = run.daemon(tls=False)
    failed = 0
    for n in run.rounds(40):
        k = n + 1
        with open(daemon.log_file, "wb") as log:
            started = subprocess.Popen(["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone3,clone", "-e",
                                        f"inject=clone3,clone:error=EAGAIN:when={k}", harness.CHARGIFYD, "--config", str(daemon.config)],
                                       stderr=log, stdout=log, stdin=subprocess.DEVNULL)
            try:
                begun = time.monotonic()
                while started.poll() is None and '"ready"' not in daemon.log_text():
                    assert time.monotonic() - begun < 20, f"without its thread {k} the daemon neither starts nor ends"
                    time.sleep(0.01)
                said = daemon.log_text()
                if started.poll() is None:
                    if k > 30 or failed == k - 1:
                        run.note(f"{failed} threads at the start, each refused once")
                        run.done += 1
                        break
                    raise AssertionError(f"without its thread {k} the daemon is ready")
                if "ptrace" in said:
                    raise Skip("strace cannot trace here")
                assert started.returncode == 1, f"thread {k}: ended with {started.returncode}: {said[-300:]}"
                assert "esource temporarily unavailable" in said or "thread" in said, f"thread {k}: {said}"
                failed += 1
            finally:
                if started.poll() is None:
                    started.kill()
                started.wait()
    assert failed > 0, "no thread was refused"
    daemon.start()
    assert daemon.post(subscription(1)) == 200
    daemon.settle()
    assert daemon.stop() == 0


def memory(run):
    """Less address space than the load needs: what fits is answered, nothing acknowledged is lost, and it recovers."""
    ledger = Ledger()
    ended = 0
    daemon = run.daemon(tls=False)
    for n in run.rounds(4):
        daemon.start()
        pid = daemon.process.pid
        with Load(daemon, ledger, senders=4):
            target = len(ledger.acknowledged) + 100
            wait_for(lambda: len(ledger.acknowledged) >= target, "the daemon is warm")
        size = int(open(f"/proc/{pid}/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size + (4 << n % 4) * MIB, hard))
        with Load(daemon, ledger, senders=96, padding=600_000):
            end = time.monotonic() + 6
            while time.monotonic() < end and daemon.process.poll() is None:
                time.sleep(0.05)
        if daemon.process.poll() is None:
            resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
            number = ledger.take()
            body = subscription(number)
            wait_for(lambda: daemon.process.poll() is not None or daemon.request("GET", "/healthz")[0] == 200, "healthy again")
            ledger.record(number, body, daemon.post(body), 0)
            daemon.settle()
            assert daemon.stop() == 0
        else:
            ended += 1
            # Without memory it may end as it likes: the next start has everything.
            assert daemon.process.returncode in (1, -signal.SIGABRT), f"ended with {daemon.process.returncode}"
        daemon.start()
        ledger.verify(daemon)
        daemon.kill()
    run.note(f"{len(ledger.acknowledged)} acknowledged, {ledger.statuses[0]} connections closed, the daemon ended {ended} times")

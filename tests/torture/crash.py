"""The daemon is killed."""
import subprocess
import time

from support import Ledger, Load, harness, wait_for


def kill(run):
    """SIGKILL at any moment under load, and now and then while it starts."""
    daemon = run.daemon(tls=False, extra="[journal]\nsegment_bytes = 262144\n")
    ledger = Ledger()
    starts_cut = 0
    for n in run.rounds(500):
        if run.random.random() < 0.2 and n:
            with open(daemon.log_file, "ab") as log:
                starting = subprocess.Popen([harness.CHARGIFYD, "--config", str(daemon.config)], stderr=log, stdout=log,
                                            stdin=subprocess.DEVNULL)
            time.sleep(run.random.uniform(0, 0.06))
            starting.kill()
            starting.wait()
            starts_cut += 1
        daemon.start()
        before = len(ledger.acknowledged)
        with Load(daemon, ledger, until_it_breaks=True) as load:
            target = before + run.random.randint(1, 120)
            wait_for(lambda: len(ledger.acknowledged) >= target or load.broken(), "webhooks are acknowledged")
            time.sleep(run.random.uniform(0, 0.03))
            daemon.kill()
            load.join()
        if n % 50 == 49:
            daemon.start()
            ledger.verify(daemon)
            daemon.kill()
    daemon.start()
    ledger.verify(daemon)
    assert daemon.stop() == 0
    run.note(f"{len(ledger.acknowledged)} acknowledged, {ledger.statuses[0]} cut off unanswered, {starts_cut} starts killed")

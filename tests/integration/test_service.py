"""Under a service manager: sockets that it holds, the watchdog, how it is told of what happens."""
import os
import pathlib
import re
import signal
import socket
import threading
import time
import unittest

from harness import *


def listening():
    s = socket.create_server(("127.0.0.1", 0), backlog=4096)
    return s


class Manager:
    """The socket to which a daemon reports (sd_notify)."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(PATIENCE)

    def env(self, **more):
        return {"NOTIFY_SOCKET": str(self.path), **more}

    def wait_for(self, word):
        """Everything told up to the message with that word."""
        told = []
        while not any(word in one for one in told):
            told.append(self.socket.recv(4096).decode())
        return told


class PassedSockets(DaemonCase):
    autostart = False

    def setUp(self):
        super().setUp()
        self.sockets = {name: listening() for name in ("https", "http", "admin")}
        for s in self.sockets.values():
            self.addCleanup(s.close)

    def port(self, name):
        return self.sockets[name].getsockname()[1]

    def test_serve_in_place_of_the_configured_addresses(self):
        self.daemon.start(sockets=self.sockets.items())
        self.assertEqual((self.daemon.https, self.daemon.http, self.daemon.admin),
                         (self.port("https"), self.port("http"), self.port("admin")))
        self.assertEqual(self.daemon.post(subscription(1)), 200)
        self.assertEqual(self.daemon.post(subscription(2), tls=True), 200)
        self.assertEqual(self.daemon.admin_request("GET", "/healthz")[0], 200)

    def test_a_restart_under_load_refuses_nobody(self):
        """Connections that come while no daemon runs wait, and are answered by the next one."""
        self.daemon.start(sockets=self.sockets.items())
        ending = threading.Event()
        answers = []

        def send(first):
            number = first
            while not ending.is_set():
                number += 1
                answers.append((number, self.daemon.post(subscription(number), tls=number % 3 == 0)))

        failures = []

        def guarded(first):
            try:
                send(first)
            except OSError as e:
                failures.append(repr(e))

        senders = [threading.Thread(target=guarded, args=(n * 1_000_000,)) for n in range(1, 5)]
        for t in senders:
            t.start()
        for _ in range(4):
            seen = len(answers)
            wait_for(lambda: failures or len(answers) > seen + 40, "webhooks are acknowledged")
            self.assertEqual(self.daemon.stop(), 0)
            self.daemon.start(sockets=self.sockets.items())
        seen = len(answers)
        wait_for(lambda: failures or len(answers) > seen + 40, "webhooks are acknowledged")
        ending.set()
        for t in senders:
            t.join()
        self.assertEqual(failures, [])
        self.assertEqual({status for _, status in answers}, {200})
        self.daemon.settle()
        self.assertEqual(self.daemon.sql("SELECT count(*) FROM events"), [(len(answers),)])

    def test_one_that_is_not_configured_is_not_served(self):
        self.daemon.config.write_text(re.sub(r"(?m)^https = .*$", "", self.daemon.config.read_text()))
        self.daemon.start(sockets=self.sockets.items())
        self.assertEqual(self.daemon.find_log("is not configured")["kind"], "https")
        self.assertEqual(self.daemon.post(subscription(1)), 200)

    def test_one_that_is_missing_is_noticed(self):
        self.daemon.start(sockets=[("http", self.sockets["http"])])
        self.assertEqual({line["kind"] for line in self.daemon.log_lines() if "passes no such socket" in line["message"]},
                         {"https", "admin"})

    def test_one_that_is_named_otherwise_is_refused(self):
        with self.assertRaisesRegex(AssertionError, "named 'smtp'; set FileDescriptorName="):
            self.daemon.start(sockets=[("smtp", self.sockets["http"])])

    def test_one_that_does_not_listen_is_refused(self):
        with socket.socket() as s, self.assertRaisesRegex(AssertionError, "no TCP socket that listens"):
            self.daemon.start(sockets=[("https", s)])

    def test_the_operators_socket_is_for_this_machine_unless_there_is_a_token(self):
        with socket.create_server(("0.0.0.0", 0)) as s, self.assertRaisesRegex(AssertionError, "admin.token_file"):
            self.daemon.start(sockets=[("admin", s)])


class Watchdog(DaemonCase):
    autostart = False

    def test_is_fed_while_all_is_well(self):
        manager = Manager(self.folder)
        self.daemon.start(env=manager.env(WATCHDOG_USEC="400000"))
        told = manager.wait_for("WATCHDOG=1")
        self.assertTrue(any("READY=1" in one for one in told))
        self.daemon.post(subscription(1))
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        self.assertEqual(self.daemon.stop(), 0)
        manager.wait_for("STOPPING=1")

    def test_is_not_fed_while_the_journal_hangs(self):
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        manager = Manager(self.folder)
        self.daemon.start(env=manager.env(WATCHDOG_USEC="2000000"))
        manager.wait_for("WATCHDOG=1")
        with subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
                               "inject=fdatasync:delay_enter=8000000:when=1", "-p", str(self.daemon.process.pid)],
                              stderr=subprocess.DEVNULL) as tracer:
            wait_for(lambda: "TracerPid:\t0\n" not in pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text(),
                     "strace holds the daemon")
            sender = threading.Thread(target=self.daemon.post, args=(subscription(1),))
            sender.start()
            self.daemon.wait_log("no progress")
            self.assertEqual(self.daemon.find_log("no progress")["part"], "journal")
            sender.join()  # it goes on when the disk does
            self.socket_is_quiet(manager)
            manager.wait_for("WATCHDOG=1")
            tracer.terminate()

    def socket_is_quiet(self, manager):
        """Drops what was told before, so that the next message is a new one."""
        manager.socket.setblocking(False)
        try:
            while True:
                manager.socket.recv(4096)
        except BlockingIOError:
            manager.socket.settimeout(PATIENCE)


class Sandbox(DaemonCase):
    """What the unit allows is enough for a whole life of the daemon."""

    autostart = False
    UNIT = pathlib.Path(__file__).resolve().parents[2] / "systemd" / "chargifyd.service.in"

    def expand(self, name):
        """The system calls of a set."""
        lines = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout.splitlines()
        calls = set()
        for word in (line.strip() for line in lines[1:]):
            if word.startswith("@"):
                calls |= self.expand(word)
            elif word and not word.startswith("#"):
                calls.add(word)
        return calls

    def allowed(self):
        calls = set()
        for rule in re.findall(r"^SystemCallFilter=(.*)$", self.UNIT.read_text(), re.M):
            for name in rule.removeprefix("~").split():
                found = self.expand(name) if name.startswith("@") else {name}
                calls = calls - found if rule.startswith("~") else calls | found
        return calls

    def test_no_call_is_refused(self):
        if not shutil.which("strace") or not shutil.which("systemd-analyze"):
            self.skipTest("strace and systemd-analyze are not both installed")
        # As the unit starts it: sockets passed, not root.
        if os.geteuid() == 0:
            nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            self.folder.chmod(0o755)
            for path in [self.daemon.folder, *self.daemon.folder.rglob("*")]:
                os.chown(path, 65534, 65534)
        else:
            nobody = []
        trace = self.daemon.folder / "trace"
        sockets = [(name, socket.create_server(("127.0.0.1", 0))) for name in ("https", "http", "admin")]
        for _, s in sockets:
            self.addCleanup(s.close)
        self.daemon.start(prefix=[*nobody, "strace", "-D", "-f", "-qq", "-o", str(trace)], sockets=sockets)
        for number in range(1, 30):
            self.assertEqual(self.daemon.post(subscription(number, id=number), tls=number % 2 == 0), 200)
        self.daemon.settle()
        self.assertEqual(self.daemon.admin_request("GET", "/v1/subscriptions/5")[0], 200)
        self.daemon.metrics()
        self.daemon.ctl("rebuild")
        self.daemon.ctl("forget", "--customer", "7", "--yes")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_log("configuration reloaded")
        self.assertEqual(self.daemon.stop(), 0)
        made = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(errors="replace"), re.M))
        self.assertGreater(len(made), 30)
        # Wanted, but not needed (chargifyd.service); the tracer's own start is in the trace too.
        self.assertEqual(made - self.allowed() - {"setpriority"}, set())


if __name__ == "__main__":
    unittest.main()

"""Strangers who mean harm: slow, many, huge, forged, replayed. Good requests go on being served meanwhile."""
import hashlib
import json
import multiprocessing
import random
import resource
import select
import socket
import ssl
import struct
import subprocess
import threading
import time

from support import KEY, MIB, SIGNATURE, descriptors, form, harness, memory, metric, sign, subscription, wait_for

LIMIT = 3        # seconds for head, body, handshake and write, as configured below
GOOD_WITHIN = 1  # seconds for an honest sender's answer, whatever else goes on
HEAD = b"POST /webhooks/acme HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


class Honest:
    """A sender that means well: a new connection, a webhook, an answer; over and over. A process of its own, so that it measures the
    daemon and not the attacker's program."""

    FIRST = 1_000_000

    def __init__(self, daemon):
        context = multiprocessing.get_context("fork")
        self.ending = context.Event()
        self.receiver, self.results = context.Pipe(duplex=False)
        self.process = context.Process(target=self.send, args=(daemon,), daemon=True)
        self.answers = []  # what came instead of 200, and seconds

    def send(self, daemon):
        number = self.FIRST
        while not self.ending.wait(0.05):
            number += 1
            begun = time.monotonic()
            try:
                status = daemon.post(subscription(number, id=number), tls=number % 4 == 0)
            except OSError as e:
                status = repr(e)
            self.results.send((status, time.monotonic() - begun))

    def collect(self):
        while self.receiver.poll():
            self.answers.append(self.receiver.recv())

    def judge(self, since):
        """Every answer since then was 200, and none but one in a hundred took longer than a second."""
        self.collect()
        answers = self.answers[since:]
        wrong = [a for a in answers if a[0] != 200]
        assert not wrong, f"honest senders were answered {wrong[:5]}"
        late = [round(a[1], 2) for a in answers if a[1] >= GOOD_WITHIN]
        assert len(late) <= len(answers) // 100, f"{len(late)} of {len(answers)} honest senders waited {sorted(late)[-5:]} s"

    def stop(self):
        self.ending.set()
        wait_for(lambda: (self.collect(), not self.process.is_alive())[1], "the honest sender ends")
        self.collect()


def connect(daemon, tls=False, small=False):
    s = socket.socket()
    if small:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(30)
    s.connect(("127.0.0.1", daemon.https if tls else daemon.http))
    return s


def drip(sockets, blocks, until_closed_within):
    """Sends a byte to each, again and again, until the server has closed them all."""
    open_ones = set(sockets)
    begun = time.monotonic()
    for s in sockets:
        s.setblocking(False)
    while open_ones and time.monotonic() - begun < until_closed_within:
        for s in list(open_ones):
            try:
                if s in select.select([s], [], [], 0)[0] and not s.recv(4096):
                    raise ConnectionError
                s.send(blocks)
            except BlockingIOError:
                pass
            except OSError:
                open_ones.discard(s)
                s.close()
        time.sleep(0.25)
    for s in open_ones:
        s.close()
    assert not open_ones, f"{len(open_ones)} slow connections are still served after {until_closed_within} s"


def slow_heads(daemon, chance):
    sockets = [connect(daemon) for _ in range(300)]
    for s in sockets:
        s.sendall(HEAD)
    drip(sockets, b"X", 20)


def slow_bodies(daemon, chance):
    sockets = [connect(daemon) for _ in range(300)]
    for s in sockets:
        s.sendall(HEAD + f"{SIGNATURE}: {'0' * 64}\r\nContent-Length: 500000\r\n\r\n".encode())
    drip(sockets, b"a", 20)


def slow_readers(daemon, chance):
    """Ask without end and never read the answers."""
    sockets = [connect(daemon, small=True) for _ in range(30)]
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2000
    for s in sockets:
        s.setblocking(False)
    for _ in range(10):
        for s in sockets:
            try:
                s.send(asked)
            except OSError:
                pass
        time.sleep(0.1)
    wait_for(lambda: metric(daemon, "chargifyd_connections") < 50, "connections that do not read are closed")
    for s in sockets:
        s.close()


def crowd(daemon, chance):
    """Thousands of connections that say nothing, a thousand handshakes that stop half way, and some that end well and idle."""
    sockets = [connect(daemon) for _ in range(3000)]
    hello = bytes.fromhex("16030100c8010000c40303")
    for _ in range(1000):
        s = connect(daemon, tls=True)
        s.sendall(hello + bytes(chance.randrange(256) for _ in range(32)))
        sockets.append(s)
    context = ssl.create_default_context(cafile=str(daemon.folder / "tls" / "one.pem"))
    sockets += [context.wrap_socket(connect(daemon, tls=True), server_hostname="localhost") for _ in range(100)]
    time.sleep(0.5)
    for s in sockets[:2000]:
        s.close()
    wait_for(lambda: metric(daemon, "chargifyd_connections") < 50, "idle connections are closed")
    for s in sockets[2000:]:
        s.close()


def churn(daemon, chance):
    """Connections that end at once: politely, with a reset, or with garbage where a handshake should be."""
    for i in range(3000):
        s = connect(daemon, tls=i % 3 == 0)
        if i % 3 == 0:
            s.sendall(chance.randbytes(64))
        if i % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()


def status_of(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def huge_heads(daemon, chance):
    fill = b"a" * 60000
    for data in (HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(10000)) + b"\r\n",
                 HEAD + b"X: " + fill * 17 + b"\r\n\r\n",
                 b"POST /" + fill + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"POST /webhooks/acme?signature=" + fill + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                 HEAD + fill + b": x\r\n\r\n",
                 HEAD + b"Content-Length: 10737418240\r\n" + SIGNATURE.encode() + b": " + b"0" * 64 + b"\r\n\r\n",
                 HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",
                 b"\r\n" * 100000):
        for _ in range(10):
            status = status_of(daemon.raw(data, wait=10))
            # A connection that is cut while it still sends may lose the answer.
            assert status in (0, 400, 404, 411, 413, 414, 431), f"answered {status} to {data[:60]}"


def form_bombs(daemon, chance):
    """Bodies that are signed, so that they are read; each is kept as it came."""
    nested = "payload" + "[a]" * 100_000
    bombs = [
        b"id=900001&event=x&" + b"&".join(b"payload[%d]=1" % i for i in range(55_000)),
        b"id=900002&event=x&" + nested.encode() + b"=1",
        b"id=900003&event=x&payload[" + b"k" * 1_000_000 + b"]=1",
        b"id=900004&event=x&payload[v]=" + b"v" * 1_000_000,
        b"id=900005&event=x&" + b"&" * 1_000_000,
        b"id=900006&event=x&" + b"=" * 1_000_000,
        b"id=900007&event=x&" + b"payload[a]=1&" * 70_000,
        b"id=900008&event=x&payload[a][]=1" + b"&payload[a][]=1" * 60_000,
        b"id=900009&event=x&payload[a]=1&payload[a][b]=2&payload[a][]=3&payload[a]=4",
        b"id=900010&event=x&payload[a]=%",
        b"id=900011&event=x&payload[a]=%A",
        b"id=900012&event=x&payload[a]=%ZZ&payload[%00]=%C0%AF%FF",
        b"id=900013&event=x&payload[subscription][id]=9" + b"9" * 100_000,
        b"id=900014&event=x&" + b"[" * 500_000 + b"]" * 500_000,
        b"id=" + b"1" * 1_000_000 + b"&event=x",
        b"id=900015&event=" + b"x" * 1_000_000,
        b"%" * 1_000_000,
        b"\0" * 1_000_000,
        chance.randbytes(1_000_000),
        b"id=900016&event=x&payload[site][subdomain]=' OR 1=1; DROP TABLE events;--",
    ]
    first = daemon.journalled()
    for bomb in bombs:
        assert daemon.post(bomb) == 200, bomb[:40]
    begun = time.monotonic()
    daemon.settle()
    took = time.monotonic() - begun
    assert took < len(bombs), f"{len(bombs)} bombs took {took:.0f} s to apply"
    kept = 0
    for sequence in range(first + 1, daemon.journalled() + 1):
        body = subprocess.run([harness.CHARGIFYCTL, "--config", str(daemon.config), "events", "show", str(sequence), "--raw"],
                              capture_output=True, check=True).stdout
        kept += body in bombs
    assert kept == len(bombs), f"{len(bombs) - kept} bodies were not kept as they came"


def forged_signatures(daemon, chance):
    """Nothing but the right signature in the right place is taken."""
    body = subscription(800001)
    good = sign(body)
    legacy = hashlib.md5(KEY.encode() + body).hexdigest()
    name = SIGNATURE.encode()

    def ask(*fields, path=b"/webhooks/acme", framing=b"Content-Length: %d\r\n" % len(body), sent=body):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + framing
        return status_of(daemon.raw(head + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + sent, wait=10))

    one = lambda value: name + b": " + value.encode()
    chunked = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    statuses = [
        ask(), ask(one("")), ask(one(good[:-1])), ask(one(good[:32])), ask(one(good + "0")), ask(one(good + good)), ask(one("0" * 64)),
        ask(one(good), one(good)), ask(one(good), one("0" * 64)), ask(one("0" * 64), one(good)), ask(one(good + ", " + good)),
        ask(one("sha256=" + good)), ask(one('"' + good + '"')), ask(one(good[:63] + "\u00e9")), ask(one(sign(body, ""))),
        ask(one(sign(body, KEY + "\n"))), ask(one(sign(body, "wrong"))), ask(one(legacy)), ask(b"X-Chargify-Webhook-Signature: " + legacy.encode()),
        ask(b"X-Chargify-Webhook-Signature: " + good.encode()), ask(path=b"/webhooks/acme?signature=" + legacy.encode()),
        ask(path=b"/webhooks/acme?signature=" + good[:-1].encode()),
        ask(one(good), sent=body[:-1] + b"x"), ask(one(good), sent=body.upper()),
        ask(framing=b"Transfer-Encoding: chunked\r\nTrailer: " + name + b"\r\n", sent=chunked + one(good) + b"\r\n\r\n"),
        ask(one(good), path=b"/webhooks/other"), ask(one(good), path=b"/webhooks/ACME"),
    ]
    assert all(400 <= s < 500 for s in statuses), statuses
    for _ in range(2000):
        assert daemon.post(body, signature="%064x" % chance.getrandbits(256)) == 401
    daemon.settle()
    assert daemon.sql("SELECT count(*) FROM events WHERE webhook_id = 800001") == [(0,)], "a forged webhook is stored"


def replays(daemon, chance):
    """A captured request, sent by the thousand, is one webhook."""
    body = subscription(700001, id=700001)
    wrong = []

    def send():
        connection = daemon.connection()
        for _ in range(500):
            status = daemon.post(body, connection=connection, headers={"X-Chargify-Webhook-Id": str(random.random())})
            if status != 200:
                wrong.append(status)
        connection.close()

    senders = [threading.Thread(target=send) for _ in range(8)]
    for t in senders:
        t.start()
    for t in senders:
        t.join()
    assert not wrong, wrong[:5]
    daemon.settle()
    assert daemon.sql("SELECT deliveries FROM events WHERE webhook_id = 700001") == [(1,)], "a replay was written again"
    assert daemon.sql("SELECT count(*) FROM changes WHERE subscription_id = 700001") == [(1,)]


def log_injection(daemon, chance):
    """What a stranger sends cannot make a log line, or a byte that a terminal obeys."""
    forged = '{"time":"now","level":"error","message":"FORGED"}'
    nasty = f"\n{forged}\r\n\x1b[2J\x07\u202e\u2028{forged}"
    for i in range(5):
        daemon.post(form([("id", 600001 + i), ("event", nasty), ("payload[site][subdomain]", nasty), ("payload[" + nasty + "]", nasty)]))
        daemon.post(nasty.encode() * (i + 1))
    encoded = nasty.encode()
    for data in (b"GET /" + encoded + b" HTTP/1.1\r\nHost: x\r\n\r\n", HEAD + b"X-Forwarded-For: \x1b[2J" + forged.encode() + b"\r\n\r\n",
                 HEAD + b"User-Agent: " + encoded + b"\r\n\r\n", b"\x1b[2J" + encoded, HEAD + SIGNATURE.encode() + b": " + encoded + b"\r\n\r\n"):
        daemon.raw(data, wait=5)
        daemon.raw(data, tls=True, wait=5)
    daemon.settle()
    lines = daemon.log_file.read_bytes()
    assert not any(b < 0x20 and b != 0x0a or b == 0x7f for b in lines), "a control character is in the log"
    for line in lines.decode().splitlines():
        entry = json.loads(line)
        assert entry["message"] != "FORGED" and len(line) < 4096, line[:200]


ATTACKS = [slow_heads, slow_bodies, slow_readers, crowd, churn, huge_heads, form_bombs, forged_signatures, replays, log_injection]


def attack(run):
    """All of them, one after the other; then nothing of them is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    limits = "".join(f"{name}_timeout_seconds = {LIMIT}\n" for name in ("handshake", "header", "body", "idle", "write"))
    daemon = run.daemon(extra_ingress=limits)
    daemon.start()
    pid = daemon.process.pid
    honest = Honest(daemon)
    honest.process.start()
    try:
        crowd(daemon, run.random)  # warm: what such a crowd needs is allocated once and kept
        base_descriptors = None
        base_memory = memory(pid)
        times = {}
        for n in run.rounds(1):
            for one in ATTACKS:
                begun = time.monotonic()
                honest.collect()
                since = len(honest.answers)
                try:
                    one(daemon, run.random)
                    honest.judge(since)
                except AssertionError as e:
                    raise AssertionError(f"{one.__name__}: {e}") from e
                times[one.__name__] = time.monotonic() - begun
            wait_for(lambda: metric(daemon, "chargifyd_connections") <= 2, "every connection has gone")
            here = descriptors(pid)
            base_descriptors = base_descriptors or here
            assert here <= base_descriptors + 4, f"{here - base_descriptors} descriptors are left open"
            assert here < 64, f"{here} descriptors are open"
            grown = memory(pid) - base_memory
            assert grown < 96 * MIB, f"{grown // MIB} MiB more than before"
    finally:
        honest.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    sent = len(honest.answers)
    daemon.settle()
    assert daemon.sql("SELECT count(*) FROM events WHERE webhook_id > 1000000 AND deliveries = 1 AND webhook_id < 2000000") == [(sent,)]
    assert KEY not in daemon.log_text() and "anary" not in daemon.log_text()
    assert daemon.ctl("check", check=False).returncode == 0
    assert daemon.stop() == 0
    run.note(f"{len(ATTACKS)} attacks; {sent} honest webhooks meanwhile, the slowest in {max(a[1] for a in honest.answers) * 1e3:.0f} ms; "
             f"memory {grown / MIB:+.0f} MiB")

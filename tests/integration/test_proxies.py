"""The daemon behind HAProxy and nginx: who the peer is, what is passed on, and that nobody can pretend.

The proxies connect from 127.0.0.1, which the daemon trusts; senders have other addresses of the loopback network.
"""
import csv
import io
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import unittest

from harness import *

HAPROXY = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
NGINX_STREAM = next((p for p in ("/usr/lib/nginx/modules/ngx_stream_module.so",
                                 "/usr/share/nginx/modules/ngx_stream_module.so") if pathlib.Path(p).exists()), None)
SENDER = "127.0.0.2"
STRANGER = "127.0.0.3"
V1 = b"PROXY TCP4 203.0.113.5 192.0.2.1 4444 443\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([203, 0, 113, 5, 192, 0, 2, 1, 0x11, 0x5C, 1, 0xBB])
V2_LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
TRUSTED = 'trusted_proxies = ["127.0.0.1"]\n'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Proxy:
    """A proxy in the foreground. `command` and `configure` get the configuration file and the ports by name."""

    def __init__(self, folder, command, names, configure):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.process = None
        for _ in range(5):  # a port that was free may be taken a moment later
            self.port = {name: free_port() for name in names}
            file = self.folder / "configuration"
            file.write_text(configure(self.port))
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen([*command, str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                cwd=self.folder)
            if wait_for(lambda: self.ended() or ("up" if all(map(listens, self.port.values())) else None),
                        "the proxy listens") == "up":
                return
        raise AssertionError("the proxy ended: " + (self.folder / "log").read_text(errors="replace"))

    def ended(self):
        return "ended" if self.process.poll() is not None else None

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)


def raw(port, data, tls=None, source=SENDER, before=b""):
    """Sends `before`, and then `data` (with TLS when there is a context); returns all that comes until the end."""
    answer = b""
    s = socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))
    try:
        s.sendall(before)
        if tls:
            s = tls.wrap_socket(s, server_hostname="localhost")
        s.sendall(data)
        while block := s.recv(65536):
            answer += block
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        s.close()
    return answer


def statuses(answer):
    """The final answers, in order."""
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] ([2-5]\d\d)", answer)]


def request(body, headers=b"", path=b"/webhooks/acme", length=True, close=True, key=KEY):
    lines = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + SIGNATURE.encode() + b": " + sign(body, key).encode()
    lines += b"\r\nContent-Length: %d" % len(body) if length else b""
    return lines + (b"\r\nConnection: close" if close else b"") + b"\r\n" + headers + b"\r\n" + body


class BehindProxy(DaemonCase):
    options = {"extra_ingress": TRUSTED + "proxy_protocol = true\nidle_timeout_seconds = 2\nbody_timeout_seconds = 2\n"
                                          "header_timeout_seconds = 2\n"}

    def setUp(self):
        super().setUp()
        self.tls = ssl.create_default_context(cafile=f"{Certificate.get()}/one.pem")
        self.count = 0

    def peer_of(self, body, daemon=None):
        """Who sent it, as the journal has it: a record is the site, the peer and the body in a row."""
        journal = b"".join(f.read_bytes() for f in sorted(((daemon or self.daemon).state_directory / "journal").iterdir())
                           if f.is_file())
        found = re.search(rb"acme([0-9a-f.:]+)" + re.escape(body), journal)
        return found and found[1].decode()

    def new_body(self):
        self.count += 1
        return b"id=%d&event=test" % self.count

    def assert_passes(self, port, tls, daemon=None):
        """A webhook is verified and stored with the address of its sender, and a forged one is not."""
        body = self.new_body()
        self.assertEqual(statuses(raw(port, request(body), tls)), [200])
        self.assertEqual(self.peer_of(body, daemon), SENDER)
        forged = self.new_body()
        self.assertEqual(statuses(raw(port, request(forged, key="another"), tls)), [401])
        self.assertIsNone(self.peer_of(forged, daemon))

    def start_haproxy(self, names, configure):
        if not HAPROXY:
            self.skipTest("haproxy is not installed")
        head = (f"global\n  stats socket {self.folder}/stats.sock\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n"
                "  timeout server 30s\n  timeout http-request 5s\n  http-reuse always\n")
        proxy = Proxy(self.folder / "haproxy", [HAPROXY, "-db", "-f"], names, lambda port: head + configure(port))
        self.addCleanup(proxy.stop)
        return proxy

    def start_nginx(self, names, configure, stream=True):
        if not NGINX:
            self.skipTest("nginx is not installed")
        if stream and not NGINX_STREAM:
            self.skipTest("the stream module of nginx is not installed")
        folder = self.folder / "nginx"
        head = (f"load_module {NGINX_STREAM};\n" if stream else "")
        head += f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ }}\n"
        proxy = Proxy(folder, [NGINX, "-e", "stderr", "-p", str(folder), "-c"], names, lambda port: head + configure(port))
        self.addCleanup(proxy.stop)
        return proxy

    def haproxy_listeners(self):
        """Name to (configuration, TLS for the sender)."""
        bundle = self.folder / "bundle.pem"
        bundle.touch(mode=0o600)
        bundle.write_text(pathlib.Path(f"{Certificate.get()}/one.pem").read_text() +
                          pathlib.Path(f"{Certificate.get()}/one.key").read_text())
        http, https = f"127.0.0.1:{self.daemon.http}", f"127.0.0.1:{self.daemon.https}"
        return {
            "plain_v1": (f"server one {http} send-proxy", None),
            "plain_v2": (f"server one {http} send-proxy-v2", None),
            "extensions": (f"server one {http} send-proxy-v2 proxy-v2-options crc32c,unique-id", None),
            "passed_v1": (f"server one {https} send-proxy", self.tls),
            "passed_v2": (f"server one {https} send-proxy-v2", self.tls),
            "ended": (f"server one {http} send-proxy-v2", self.tls),
            "http": (f"mode http\n  server one {http} send-proxy-v2", None),
            "http_ended": (f"mode http\n  server one {http} send-proxy-v2", self.tls),
        }

    def haproxy(self):
        listeners = self.haproxy_listeners()

        def configure(port):
            text = ""
            for name, (lines, _) in listeners.items():
                ended = f" ssl crt {self.folder}/bundle.pem" if name.endswith("ended") else ""
                text += f"listen {name}\n  bind 127.0.0.1:{port[name]}{ended}\n  {lines}\n"
            return text

        proxy = self.start_haproxy(list(listeners), configure)
        return {name: (proxy.port[name], tls) for name, (_, tls) in listeners.items()}

    def nginx_stream(self):
        certificate = f"ssl_certificate {Certificate.get()}/one.pem; ssl_certificate_key {Certificate.get()}/one.key;"

        def configure(port):
            text = "stream {\n proxy_protocol on;\n"
            for name, ssl_word, to in (("plain", "", self.daemon.http), ("passed", "", self.daemon.https),
                                       ("ended", " ssl", self.daemon.http)):
                text += f" server {{ listen 127.0.0.1:{port[name]}{ssl_word}; {certificate if ssl_word else ''} "
                text += f"proxy_pass 127.0.0.1:{to}; }}\n"
            return text + "}\n"

        port = self.start_nginx(["plain", "passed", "ended"], configure).port
        return {"plain": (port["plain"], None), "passed": (port["passed"], self.tls), "ended": (port["ended"], self.tls)}

    def nginx_http(self, daemon):
        """Without the PROXY protocol, which nginx does not speak before HTTP: with X-Forwarded-For."""
        folder = self.folder / "nginx"
        certificate = f"ssl_certificate {Certificate.get()}/one.pem; ssl_certificate_key {Certificate.get()}/one.key;"

        def configure(port):
            text = f"http {{\n access_log off; keepalive_timeout 2s; client_body_timeout 2s; client_header_timeout 2s;\n"
            text += "".join(f" {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy"))
            text += f" upstream daemon {{ server 127.0.0.1:{daemon.http}; keepalive 4; }}\n"
            for name, ssl_word in (("plain", ""), ("ended", " ssl")):
                text += f" server {{ listen 127.0.0.1:{port[name]}{ssl_word}; {certificate if ssl_word else ''}\n"
                text += "  location / { proxy_pass http://daemon; proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
                text += "   proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Request-Id $request_id; } }\n"
            return text + "}\n"

        port = self.start_nginx(["plain", "ended"], configure, stream=False).port
        return {"plain": (port["plain"], None), "ended": (port["ended"], self.tls)}


class Peers(BehindProxy):
    def test_haproxy(self):
        for name, (port, tls) in self.haproxy().items():
            with self.subTest(name):
                self.assert_passes(port, tls)

    def test_nginx_stream(self):
        for name, (port, tls) in self.nginx_stream().items():
            with self.subTest(name):
                self.assert_passes(port, tls)

    def test_nginx_http(self):
        forwarded = self.make("forwarded", extra_ingress=TRUSTED).start()
        for name, (port, tls) in self.nginx_http(forwarded).items():
            with self.subTest(name):
                self.assert_passes(port, tls, forwarded)
        self.assertRegex(forwarded.wait_log("request refused")["request"], r"^[0-9a-f]{32}$")  # nginx gave it

    def test_a_header_that_the_sender_wrote_himself_is_no_header(self):
        """Behind a proxy the sender's own header comes second: an ordinary bad request, or no handshake."""
        for name, (port, tls) in self.haproxy().items():
            if tls and name.endswith("ended"):
                continue  # the proxy itself ends what is no handshake
            for header in (V1, V2, V2_LOCAL):
                with self.subTest(name, header=header[:5]):
                    body = self.new_body()
                    self.assertNotIn(200, statuses(raw(port, request(body), tls, before=header)))
                    self.assertIsNone(self.peer_of(body))


class Strangers(BehindProxy):
    """Directly, without a proxy."""

    def error_count(self, reason):
        return float(re.search(rf'chargifyd_proxy_header_errors_total{{reason="{reason}"}} (\S+)', self.daemon.metrics())[1])

    def test_only_a_trusted_proxy_can_name_a_sender(self):
        for header in (V1, V2):
            trusted, stranger = self.new_body(), self.new_body()
            self.assertEqual(statuses(raw(self.daemon.http, header + request(trusted), source="127.0.0.1")), [200])
            self.assertEqual(self.peer_of(trusted), "203.0.113.5")
            self.assertEqual(statuses(raw(self.daemon.http, header + request(stranger), source=STRANGER)), [400])
            self.assertIsNone(self.peer_of(stranger))
            trusted, stranger = self.new_body(), self.new_body()
            self.assertEqual(statuses(raw(self.daemon.https, request(trusted), self.tls, "127.0.0.1", header)), [200])
            self.assertEqual(self.peer_of(trusted), "203.0.113.5")
            self.assertEqual(raw(self.daemon.https, request(stranger), self.tls, STRANGER, header), b"")
            self.assertIsNone(self.peer_of(stranger))

    def test_others_connect_as_ever(self):
        for port, tls in ((self.daemon.http, None), (self.daemon.https, self.tls)):
            body = self.new_body()
            spoofed = request(body, b"X-Forwarded-For: 203.0.113.5\r\n")
            self.assertEqual(statuses(raw(port, spoofed, tls, STRANGER)), [200])
            self.assertEqual(self.peer_of(body), STRANGER)

    def test_a_trusted_proxy_has_to_send_one(self):
        for port, tls in ((self.daemon.http, None), (self.daemon.https, self.tls)):
            body = self.new_body()
            self.assertEqual(raw(port, request(body), tls, "127.0.0.1"), b"")
            self.assertIsNone(self.peer_of(body))
        self.assertEqual(self.error_count("malformed"), 2)
        self.daemon.wait_log("did not begin its connection with a PROXY header")

    def test_bad_headers(self):
        bad = (V1.replace(b" 4444", b" 04444"), V1.replace(b"\r\n", b"\n"), V1.replace(b"TCP4", b"TCP6"),
               b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n", V2[:12] + b"\x11" + V2[13:], V2[:14] + b"\xff\xff" + V2[16:],
               V2[:14] + b"\0\x0f" + V2[16:] + b"\x04\0\x05")
        for header in bad:
            self.assertEqual(raw(self.daemon.http, header + request(self.new_body()), source="127.0.0.1"), b"", header)
        self.assertEqual(self.error_count("malformed"), len(bad))
        self.assertEqual(self.daemon.journalled(), 0)

    def test_when_it_is_off_nobody_can(self):
        off = self.make("off", extra_ingress=TRUSTED).start()
        for header in (V1, V2, V2_LOCAL):
            for source in ("127.0.0.1", STRANGER):
                body = self.new_body()
                self.assertEqual(statuses(raw(off.http, header + request(body), source=source)), [400])
                self.assertEqual(raw(off.https, request(body), self.tls, source, header), b"")
        self.assertEqual(off.journalled(), 0)

    def test_it_needs_trusted_proxies(self):
        wrong = self.make("wrong", extra_ingress="proxy_protocol = true\n")
        done = wrong.ctl("config", "check", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"chargifyd\.toml:\d+: .*ingress\.proxy_protocol needs ingress\.trusted_proxies")


class Smuggling(BehindProxy):
    """Framings that a proxy and the daemon might read differently, each with an unsigned webhook hidden in it."""

    HIDDEN = b"id=666&event=test"
    CLEAR = ("field b'Transfer_Encoding: chunked'", "a request behind it")

    def payloads(self):
        """Name and bytes of each; those of CLEAR can be read in one way only."""
        body = self.new_body()
        hidden = b"POST /webhooks/acme HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(self.HIDDEN) + self.HIDDEN
        plain = request(body, length=False, close=False)[:-len(body) - 2]
        length = b"Content-Length: %d\r\n" % len(body)
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        coding = b"Transfer-Encoding: chunked\r\n"
        yield "CL and TE", plain + length + coding + b"\r\n" + chunks
        yield "TE and CL", plain + coding + length + b"\r\n" + chunks
        yield "CL 0 and TE", plain + b"Content-Length: 0\r\n" + coding + b"\r\n" + chunks
        yield "CL.TE", plain + b"Content-Length: %d\r\n" % (5 + len(hidden)) + coding + b"\r\n0\r\n\r\n" + hidden
        yield "TE.CL", plain + coding + b"Content-Length: 4\r\n\r\n%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n"
        for other in (b"gzip", b"identity", b"xchunked", b"chunked, identity", b"gzip, chunked", b"\x0bchunked", b"chunked;q=1",
                      b'"chunked"', b"", b"chu\xc2\xadnked"):
            yield f"TE {other}", plain + b"Transfer-Encoding: " + other + b"\r\n" + length + b"\r\n" + body + hidden
        for field in (b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked", b"Transfer-Encoding\t: chunked",
                      b"Transfer-Encoding:\r\n chunked", b"X-A: a\rTransfer-Encoding: chunked", b"X-A: a\nTransfer-Encoding: chunked",
                      b"Transfer_Encoding: chunked", b"Transfer-Encoding\x00: chunked"):
            yield f"field {field}", plain + field + b"\r\n" + length + b"\r\n" + body + hidden
        yield "TE twice", plain + coding + coding + b"\r\n" + chunks + hidden
        yield "TE in HTTP/1.0", (plain + coding).replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + chunks + hidden
        yield "CL twice", plain + length + b"Content-Length: 0\r\n\r\n" + body + hidden
        yield "CL twice, the other way", plain + b"Content-Length: 0\r\n" + length + b"\r\n" + body + hidden
        yield "CL list", plain + length.replace(b"\r\n", b", 0\r\n") + b"\r\n" + body + hidden
        yield "CL with a sign", plain + length.replace(b": ", b": +") + b"\r\n" + body + hidden
        yield "CL folded", plain + length.replace(b": ", b":\r\n ") + b"\r\n" + body + hidden
        yield "bare LF", (plain + length).replace(b"\r\n", b"\n") + b"\n" + body
        yield "bare LF at the end", plain + length + b"\n" + body + hidden
        yield "folded", plain + b"X-A: a\r\n b\r\n" + length + b"\r\n" + body
        yield "chunk extension", plain + coding + b"\r\n%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        yield "chunk extension with LF", plain + coding + b"\r\n%x;a\nb\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        yield "chunk with bare LF", plain + coding + b"\r\n%x\n%s\n0\n\n" % (len(body), body)
        yield "chunk too long", plain + coding + b"\r\n5\r\n%s\r\n0\r\n\r\n" % body + hidden
        yield "chunk size overflow", plain + coding + b"\r\n1%016x\r\n%s\r\n0\r\n\r\n" % (len(body), body) + hidden
        yield "trailer", plain + coding + b"\r\n%x\r\n%s\r\n0\r\nContent-Length: 5\r\n\r\n" % (len(body), body) + hidden
        yield "a request behind it", plain + length + b"\r\n" + body + hidden
        yield "too short a length", plain + b"Content-Length: 3\r\n\r\n" + body + hidden
        yield "no length", plain + b"\r\n" + hidden

    def attack(self, name, port, tls, daemon, as_sent=True):
        """`as_sent`: the bytes reach the daemon as they are; else a proxy has read them and written them anew."""
        last = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for payload, data in self.payloads():
            with self.subTest(name, payload=payload):
                got = statuses(raw(port, data + last, tls))
                if not as_sent:
                    # A signed webhook may be taken; what follows may be requests of their own, and none is signed.
                    self.assertTrue(1 <= len(got) <= (data + last).count(b" HTTP/1."), got)
                    self.assertNotIn(200, got[1:], got)
                elif payload in self.CLEAR:
                    self.assertEqual(got, [200, 401])
                else:
                    self.assertEqual(len(got), 1, got)
                    self.assertGreaterEqual(got[0], 400, got)
                # The next sender, perhaps over the same connection to the daemon, gets the answer that is his.
                for _ in range(2):
                    innocent = raw(port, last.replace(b"/last", b"/innocent"), tls, STRANGER)
                    self.assertEqual(statuses(innocent), [404])
        self.assertIsNone(self.peer_of(self.HIDDEN, daemon))
        self.assert_signed(daemon)

    def assert_signed(self, daemon):
        """Every webhook that was taken is one of ours, whole."""
        daemon.settle()
        ours = {f"{n}" for n in range(1, self.count + 1)}
        taken = {str(row[0]) for row in daemon.sql("SELECT webhook_id FROM events")}
        self.assertLessEqual(taken, ours)
        self.assertEqual(daemon.sql("SELECT count(*) FROM events WHERE event <> 'test'"), [(0,)])

    def test_direct(self):
        self.attack("direct", self.daemon.http, None, self.daemon)
        self.attack("direct TLS", self.daemon.https, self.tls, self.daemon)

    def test_haproxy(self):
        for name, (port, tls) in self.haproxy().items():
            self.attack(name, port, tls, self.daemon, as_sent=not name.startswith("http"))

    def test_nginx_stream(self):
        for name, (port, tls) in self.nginx_stream().items():
            self.attack(name, port, tls, self.daemon)

    def test_nginx_http(self):
        forwarded = self.make("forwarded", extra_ingress=TRUSTED).start()
        for name, (port, tls) in self.nginx_http(forwarded).items():
            self.attack(name, port, tls, forwarded, as_sent=False)


class Health(BehindProxy):
    options = {"extra_ingress": TRUSTED + "proxy_protocol = true\n"}

    def server(self):
        """The row of the server in HAProxy's statistics."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(str(self.folder / "stats.sock"))
            s.sendall(b"show stat\n")
            text = b""
            while block := s.recv(65536):
                text += block
        rows = csv.DictReader(io.StringIO(text.decode().removeprefix("# ")))
        return next(row for row in rows if row["svname"] == "one")

    def check(self, options, tls=None):
        """A daemon that drains is taken out of service, and what is under way is answered."""
        proxy = self.start_haproxy(["traffic"], lambda port: f"listen traffic\n  bind 127.0.0.1:{port['traffic']}\n"
                                   + options)
        wait_for(lambda: self.server()["status"] == "UP" and self.server()["check_status"] == "L7OK", "the check passes")
        body = self.new_body()
        data = request(body, b"Expect: 100-continue\r\n")
        under_way = socket.create_connection(("127.0.0.1", proxy.port["traffic"]), PATIENCE, (SENDER, 0))
        if tls:
            under_way = tls.wrap_socket(under_way, server_hostname="localhost")
        with under_way:
            under_way.sendall(data[:-len(body)])
            self.assertEqual(under_way.recv(4096), b"HTTP/1.1 100 Continue\r\n\r\n")
            under_way.sendall(body[:-1])
            self.daemon.process.send_signal(signal.SIGTERM)
            down = wait_for(lambda: (lambda row: row if row["status"].startswith("DOWN") else None)(self.server()),
                            "the server is down")
            self.assertIsNone(self.daemon.process.poll())
            under_way.sendall(body[-1:])
            answer = b""
            while block := under_way.recv(4096):
                answer += block
        self.assertEqual(statuses(answer), [200])
        self.assertEqual(self.daemon.process.wait(PATIENCE), 0)
        self.assertEqual(self.peer_of(body), SENDER)
        return down

    def test_readyz(self):
        down = self.check(f"  option httpchk GET /readyz\n  http-check send hdr Host localhost\n"
                          f"  server one 127.0.0.1:{self.daemon.http} send-proxy-v2 check port {self.daemon.admin} "
                          "inter 100ms fall 1 rise 1\n")
        self.assertEqual((down["check_status"], down["check_code"]), ("L7STS", "503"))

    def test_healthz(self):
        self.check("  option httpchk\n  http-check send meth GET uri /healthz ver HTTP/1.1 hdr Host localhost\n"
                   f"  server one 127.0.0.1:{self.daemon.https} send-proxy-v2 check check-ssl verify none check-send-proxy "
                   "inter 100ms fall 1 rise 1\n", self.tls)
        self.assertNotIn("PROXY header", self.daemon.log_text())


class RollingRestart(BehindProxy):
    options = {"extra_ingress": TRUSTED}

    def wait_until_it_gets_webhooks(self, daemon):
        journalled = daemon.journalled()
        wait_for(lambda: daemon.journalled() > journalled + 20, "the proxy sends to the daemon")

    def test_no_request_fails_while_one_daemon_after_the_other_is_restarted(self):
        daemons = [self.daemon, self.make("two").start()]
        for daemon in daemons:  # the same port at every start
            daemon.config.write_text(daemon.config.read_text().replace('http = ["127.0.0.1:0"]', f'http = ["127.0.0.1:{daemon.http}"]'))
        proxy = self.start_haproxy(["http"], lambda port: (
            f"listen webhooks\n  bind 127.0.0.1:{port['http']}\n  mode http\n  option httpchk GET /healthz\n  retries 3\n"
            "  option redispatch\n  retry-on all-retryable-errors\n"
            + "".join(f"  server s{i} 127.0.0.1:{d.http} check inter 200ms fall 1 rise 1\n" for i, d in enumerate(daemons))))
        ending = threading.Event()
        answers = []

        def send(number):
            while not ending.is_set():
                number += 1
                answers.append((number, statuses(raw(proxy.port["http"], request(b"id=%d&event=test" % number)))))

        senders = [threading.Thread(target=send, args=(n * 1_000_000,)) for n in range(1, 5)]
        for t in senders:
            t.start()
        try:
            for daemon in daemons:
                self.wait_until_it_gets_webhooks(daemon)
            for daemon in daemons * 2:
                self.assertEqual(daemon.stop(), 0)
                daemon.start()
                self.wait_until_it_gets_webhooks(daemon)  # only then may the other one go
        finally:
            ending.set()
            for t in senders:
                t.join()
        self.assertEqual([a for a in answers if a[1] != [200]], [])
        kept = set()
        for daemon in daemons:
            daemon.settle()
            kept |= {row[0] for row in daemon.sql("SELECT webhook_id FROM events")}
        self.assertEqual({number for number, _ in answers} - kept, set())


if __name__ == "__main__":
    unittest.main()

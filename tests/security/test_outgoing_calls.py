"""security.md, "Outgoing calls": a test per part of the sentence. Real sockets on 127.0.0.1."""

import gzip
import socket
import ssl
import time
import zlib

import pytest
from django.conf import settings

from apps.audit.models import AuditEvent
from apps.connections import commands, outgoing, queries, wire
from apps.connections.models import AllowedHost
from apps.connections.outgoing import (
    ConnectFailed,
    OutgoingClient,
    Refused,
    TimedOut,
    TooLarge,
    check_host,
)
from apps.core import clock
from apps.core.models import uuid7
from tests.support import people
from tests.support.servers import certificate, response, serving

PUBLIC = "93.184.215.14"


def nobody(_host, _port):
    return False


def everybody(_host, _port):
    return True


def client(*addresses, allowed=everybody, own_ports=frozenset()):
    resolver = (lambda _host, _port: list(addresses)) if addresses else outgoing.system_resolver
    return OutgoingClient(uuid7(), own_ports, resolver=resolver, is_allowed=allowed)


def get(port, path="/", via=None, **options):
    return (via or client("127.0.0.1")).request(
        "GET", f"http://api.test:{port}{path}", **{"timeout_s": 10, **options}
    )


class TestNotGloballyRoutable:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
            "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
            "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
            "0.0.0.0", "0.1.2.3", "169.254.169.254",
            "::1", "::", "fc00::1", "fd12:3456::1", "fe80::1", "ff02::1", "fd00:ec2::254",
            "::ffff:127.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "2002:7f00:1::", "2002:5db8:d70e::",
            "64:ff9b::7f00:1", "64:ff9b::5db8:d70e", "64:ff9b:1::1", "2001::1", "2001:db8::1", "3fff::1",
            "4000::1", "5f00::1", "100::1",
        ],
    )  # fmt: skip
    def test_refuse_if_an_address_is_not_globally_routable(self, host):
        """As a literal and as what a name resolves to."""
        with pytest.raises(Refused) as literal:
            check_host(host, 443, is_allowed=nobody)
        with pytest.raises(Refused) as named:
            check_host("api.test", 443, is_allowed=nobody, resolver=lambda *_: [host])

        assert literal.value.code == named.value.code == "private_address"
        assert not literal.value.sent
        assert literal.value.error_class == "permanent"

    @pytest.mark.parametrize(
        "host",
        [
            "2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "017700000001", "127.0.0.01",
            "1.2.3", "0", "0x", "256.1.1.1", "127.0.0.1.1", "\uff11\uff12\uff17.1", "0x7f.0x0.0x0.0x1",
            "fe80::1%eth0", "::1%lo", "1::2::3", "a b", "a/b", "a@b", "-a.test", "a..b", "", ".",
            "x" * 64 + ".test", "a\r\nb", "api.test\0", "api_test%2e", "[::1",
        ],
    )  # fmt: skip
    def test_decimal_octal_and_other_odd_forms_are_refused(self, host):
        asked = []

        def resolver(name, _port):
            asked.append(name)
            return [PUBLIC]

        with pytest.raises(Refused) as refused:
            check_host(host, 80, is_allowed=everybody, resolver=resolver)

        assert refused.value.code == "bad_host"
        assert asked == []

    def test_wide_digits_are_read_as_what_they_stand_for(self):
        with pytest.raises(Refused) as refused:
            check_host("\uff11\uff12\uff17.\uff10.\uff10.\uff11", 80, is_allowed=nobody)
        assert refused.value.code == "private_address"

    @pytest.mark.parametrize("host", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
    def test_the_open_internet_is_not(self, host):
        assert check_host(host, 443, is_allowed=nobody) == (host,)

    def test_one_bad_address_among_good_ones_is_enough(self):
        with pytest.raises(Refused):
            check_host("api.test", 443, is_allowed=nobody, resolver=lambda *_: [PUBLIC, "10.0.0.1"])

    @pytest.mark.parametrize(
        "host",
        [
            "169.254.169.254",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "fe80::1",
            "64:ff9b::7f00:1",
            "fd00:ec2::254",
        ],
    )
    def test_some_addresses_not_even_the_allow_list_opens(self, host):
        with pytest.raises(Refused):
            check_host("api.test", 80, is_allowed=everybody, resolver=lambda *_: [host])


class TestResolveOnce:
    def test_a_fake_resolver_that_changes_its_answer(self, monkeypatch):
        """Checked and connected to are one and the same address, asked for once."""
        answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
        asked, connected = [], []

        def resolver(host, _port):
            asked.append(host)
            return answers[len(asked) - 1]

        def connect(address, port, *_):
            connected.append((address, port))
            raise ConnectionRefusedError(111, "Connection refused")

        monkeypatch.setattr(wire, "connect", connect)
        guarded = OutgoingClient(uuid7(), frozenset(), resolver=resolver, is_allowed=nobody)

        with pytest.raises(ConnectFailed) as failed:
            guarded.request("GET", "http://rebind.test/")

        assert asked == ["rebind.test"]
        assert connected == [(PUBLIC, 80)]
        assert (failed.value.code, failed.value.sent) == ("unreachable", False)

    def test_host_is_kept(self):
        with serving(response(b"ok")) as server:
            answer = get(server.port, "/a?b=c")

        assert answer.content == b"ok"
        lines = server.requests[0].split(b"\r\n")
        assert lines[0] == b"GET /a?b=c HTTP/1.1"
        assert f"Host: api.test:{server.port}".encode() in lines

    def test_tls_name_is_kept_and_the_certificate_checked(self, tmp_path, monkeypatch):
        asked_for: list[str] = []
        with tls_server(tmp_path, monkeypatch, asked_for, "api.test") as server:
            answer = client("127.0.0.1").request("GET", f"https://api.test:{server.port}/")
            with pytest.raises(ConnectFailed) as failed:
                client("127.0.0.1").request("GET", f"https://other.test:{server.port}/")

        assert answer.content == b"secure"
        assert asked_for == ["api.test", "other.test"]
        assert (failed.value.code, failed.value.error_class) == ("bad_certificate", "permanent")
        assert not failed.value.sent
        assert len(server.requests) == 1

    def test_a_certificate_nobody_vouches_for_is_refused(self, tmp_path):
        pair = certificate(tmp_path, "api.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        with serving(response(b""), context) as server, pytest.raises(ConnectFailed) as failed:
            client("127.0.0.1").request("GET", f"https://api.test:{server.port}/")

        assert failed.value.code == "bad_certificate"

    def test_the_next_address_gets_its_turn(self):
        with serving(response(b"second")) as server:
            answer = get(server.port, via=client("127.0.0.99", "127.0.0.1"))

        assert answer.content == b"second"


def tls_server(folder, monkeypatch, asked_for, *names):
    pair = certificate(folder, *names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    trusting = ssl.create_default_context(cafile=str(pair[0]))
    trusting.sslsocket_class = wire.TimedTLSSocket
    monkeypatch.setattr(wire, "tls_context", lambda: trusting)
    return serving(response(b"secure"), context)


class TestRedirects:
    def redirecting(self, *targets):
        """A server whose answer to /n is a redirect to the nth target."""

        def answer(request, *_):
            path = request.split(b" ")[1].decode()
            if path.startswith("/go"):
                return response(b"", f"Location: {targets[int(path[3:] or 0)]}", status="302 Found")
            return response(b"here")

        return serving(answer)

    def test_redirects_are_off_by_default(self):
        with self.redirecting("/there") as server:
            answer = get(server.port, "/go")

        assert answer.status == 302
        assert answer.headers["location"] == "/there"
        assert len(server.requests) == 1

    def test_when_on_at_most_three(self):
        with self.redirecting("/go1", "/go2", "/go3", "/go4", "/there") as server:
            answer = get(server.port, "/go", follow_redirects=99)

        assert answer.status == 302
        assert len(server.requests) == 4

    def test_each_is_checked(self):
        with self.redirecting("http://inside.test/") as server:
            guarded = client("127.0.0.1", allowed=lambda host, _port: host == "api.test")
            with pytest.raises(Refused) as refused:
                get(server.port, "/go", via=guarded, follow_redirects=1)

        assert refused.value.code == "private_address"
        assert refused.value.sent, "the first request did reach somebody"

    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "gopher://x/", "http://u:p@api.test/"]
    )
    def test_and_must_be_plain_http_or_https(self, target):
        with self.redirecting(target) as server, pytest.raises(Refused):
            get(server.port, "/go", follow_redirects=1)

    def test_credentials_are_dropped_across_hosts(self):
        with (
            serving(response(b"there")) as second,
            self.redirecting(f"http://second.test:{second.port}/there") as first,
        ):
            answer = get(
                first.port,
                "/go",
                follow_redirects=1,
                headers={
                    "Authorization": "Bearer s",
                    "Cookie": "c",
                    "X-Api-Key": "k",
                    "Accept": "text/plain",
                },
            )

        assert answer.content == b"there"
        head = second.requests[0].lower()
        assert b"accept: text/plain" in head
        for name in (b"authorization", b"cookie", b"x-api-key"):
            assert name in first.requests[0].lower()
            assert name not in head

    def test_and_kept_within_the_host(self):
        with self.redirecting("/there") as server:
            get(server.port, "/go", follow_redirects=1, headers={"Authorization": "Bearer s"})

        assert b"Authorization: Bearer s" in server.requests[1]

    def test_a_body_never_goes_to_another_host(self):
        moved = response(b"", "Location: http://second.test/", status="307 Temporary Redirect")
        with serving(moved) as server, pytest.raises(Refused) as refused:
            client("127.0.0.1").request(
                "POST", f"http://api.test:{server.port}/", content=b"data", follow_redirects=1
            )

        assert refused.value.code == "redirect_with_body"

    def test_a_post_that_is_sent_elsewhere_becomes_a_get(self):
        with self.redirecting("/there") as server:
            client("127.0.0.1").request(
                "POST",
                f"http://api.test:{server.port}/go",
                headers={"Content-Type": "text/plain"},
                content=b"data",
                follow_redirects=1,
            )

        assert server.requests[1].startswith(b"GET /there ")
        assert b"content-type" not in server.requests[1].lower()
        assert server.requests[1].endswith(b"\r\n\r\n")

    def test_from_https_to_http_never(self, tmp_path, monkeypatch):
        with tls_server(tmp_path, monkeypatch, [], "api.test") as server:
            server.answer = response(b"", "Location: http://api.test/", status="302 Found")
            with pytest.raises(Refused) as refused:
                client("127.0.0.1").request(
                    "GET", f"https://api.test:{server.port}/", follow_redirects=1
                )

        assert refused.value.code == "redirect_downgrade"


class TestSchemes:
    @pytest.mark.parametrize(
        "url",
        [
            "ftp://api.test/", "file:///etc/passwd", "gopher://api.test/", "unix:///var/run/x", "//api.test/",
            "api.test", "", "http://", "http:///x", "javascript:alert(1)", "http://api.test:0/",
            "http://api.test:99999/", "http://api.test:x/", "http://user:secret@api.test/",
            "http://api.test\\@evil.test/", "http://api.test/a b", "http://api.test/\r\nX: y", "http://[::1/",
            "http://api.test/é",
        ],
    )  # fmt: skip
    def test_http_and_https_only(self, url):
        with pytest.raises(Refused) as refused:
            client(PUBLIC).request("GET", url)
        assert not refused.value.sent

    @pytest.mark.parametrize("method", ["GET /x HTTP/1.1\r\nX: y", "", "CONNECT", "trace", "G T"])
    def test_no_odd_methods(self, method):
        with pytest.raises(Refused):
            client(PUBLIC).request(method, "http://api.test/")

    @pytest.mark.parametrize(
        "headers",
        [{"X": "a\r\nY: b"}, {"X\r\nY": "a"}, {"X": "a\0"}, {"": "a"}, {"X Y": "a"}, {"X": "日本"}],
    )
    def test_line_breaks_in_http_headers_are_refused(self, headers):
        with pytest.raises(Refused) as refused:
            client(PUBLIC).request("GET", "http://api.test/", headers=headers)
        assert refused.value.code == "bad_header"

    def test_host_and_length_are_ours_to_write(self):
        with serving(response()) as server:
            client("127.0.0.1").request(
                "POST",
                f"http://api.test:{server.port}/",
                headers={
                    "Host": "evil.test",
                    "content-length": "999",
                    "Transfer-Encoding": "chunked",
                },
                content=b"data",
            )

        head = server.requests[0].lower()
        assert b"evil.test" not in head
        assert b"chunked" not in head
        assert head.count(b"content-length: 4\r\n") == head.count(b"content-length") == 1

    def test_no_proxies_from_the_environment(self, monkeypatch):
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9/")
        with serving(response(b"direct")) as server:
            assert get(server.port).content == b"direct"


class TestLimits:
    def test_ten_mb_after_decompression(self):
        packed = gzip.compress(b"\0" * (11 * 1024 * 1024), mtime=0)
        assert len(packed) < 20_000
        with (
            serving(response(packed, "Content-Encoding: gzip")) as server,
            pytest.raises(TooLarge) as failed,
        ):
            get(server.port)

        assert failed.value.sent
        assert failed.value.error_class == "permanent"

    def test_reading_stops_early(self):
        """The server would send for ever; we hang up after little more than the limit."""
        written: list[int] = []

        def endless(_request, peer, stopping):
            peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
            while not stopping.is_set() and len(written) < 1000:
                peer.sendall(piece)
                written.append(1)

        with serving(endless) as server, pytest.raises(TooLarge):
            get(server.port)

        assert len(written) < 400

    def test_exactly_ten_mb_will_do(self):
        body = b"x" * outgoing.MAX_BYTES
        with serving(response(body)) as server:
            assert len(get(server.port).content) == outgoing.MAX_BYTES

    @pytest.mark.parametrize("part", ["head", "body", "status"])
    def test_total_time_limit_against_a_slow_drip(self, part):
        """A byte now and then keeps a limit on each read happy, but not a limit on the whole."""

        def drip(_request, peer, stopping):
            starts = {
                "status": b"",
                "head": b"HTTP/1.1 200 OK\r\nX: ",
                "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            }
            peer.sendall(starts[part])
            while not stopping.wait(0.05):
                peer.sendall(b"x")

        with serving(drip) as server, pytest.raises(TimedOut) as failed:
            get(server.port, timeout_s=0.5)

        assert failed.value.sent
        assert failed.value.error_class == "transient"

    def test_it_covers_the_name_look_up_too(self):
        def slow(_host, _port):
            time.sleep(1)
            return [PUBLIC]

        guarded = OutgoingClient(uuid7(), frozenset(), resolver=slow, is_allowed=nobody)
        with pytest.raises(TimedOut) as failed:
            guarded.request("GET", "http://slow.test/", timeout_s=0.2)
        assert not failed.value.sent

    def test_and_a_server_that_says_nothing_at_all(self):
        with (
            serving(lambda _r, _p, stopping: stopping.wait(5) and None) as server,
            pytest.raises(TimedOut) as failed,
        ):
            get(server.port, timeout_s=0.3)
        assert failed.value.sent

    def test_and_a_tls_server_that_never_shakes_hands(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            with pytest.raises(TimedOut) as failed:
                client("127.0.0.1").request("GET", f"https://api.test:{port}/", timeout_s=0.3)
        assert not failed.value.sent


class TestAnswers:
    def test_packed_answers_are_unpacked(self):
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        bodies = {
            "gzip": gzip.compress(b"hello", mtime=0),
            "deflate": zlib.compress(b"hello"),
            "DEFLATE": raw.compress(b"hello") + raw.flush(),
            "identity": b"hello",
        }
        for coding, body in bodies.items():
            with serving(response(body, f"Content-Encoding: {coding}")) as server:
                assert get(server.port).content == b"hello", coding

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (response(b"\x1f\x8bnonsense", "Content-Encoding: gzip"), "broken_off"),
            (
                response(gzip.compress(b"x" * 1000, mtime=0)[:-9], "Content-Encoding: gzip"),
                "broken_off",
            ),
            (response(b"x", "Content-Encoding: br"), "bad_answer"),
            (response(b"short", length=100), "broken_off"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "broken_off"),
            (b"SSH-2.0-OpenSSH\r\n", "broken_off"),
            (b"", "broken_off"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "broken_off"),
            (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "broken_off"),
        ],
    )
    def test_broken_ones_say_that_something_was_sent(self, answer, code):
        with serving(answer) as server, pytest.raises(ConnectFailed) as failed:
            get(server.port)

        assert (failed.value.code, failed.value.sent) == (code, True)

    def test_headers_come_in_small_letters_repeated_ones_joined(self):
        with serving(response(b"", "X-One: a", "x-one: b", status="404 Not Found")) as server:
            answer = get(server.port)

        assert answer.status == 404
        assert answer.headers["x-one"] == "a, b"
        assert answer.elapsed > 0

    def test_head_and_204_have_no_body(self):
        with serving(b"HTTP/1.1 204 No Content\r\n\r\n") as server:
            assert get(server.port).content == b""
        with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as server:
            answer = client("127.0.0.1").request("HEAD", f"http://api.test:{server.port}/")
            assert answer.content == b""

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(ConnectFailed) as failed:
            get(port)
        assert (failed.value.code, failed.value.sent) == ("unreachable", False)
        assert failed.value.error_class == "transient"

    def test_no_such_host(self):
        def unknown(_host, _port):
            raise socket.gaierror(-2, "Name or service not known")

        guarded = OutgoingClient(uuid7(), frozenset(), resolver=unknown, is_allowed=nobody)
        with pytest.raises(ConnectFailed) as failed:
            guarded.request("GET", "http://nowhere.test/")
        assert (failed.value.code, failed.value.sent) == ("unknown_host", False)

    def test_an_answer_does_not_show_its_body_in_a_log(self):
        assert "hush" not in repr(outgoing.Answer(200, {}, b"hush", 0.1, "http://api.test/"))


@pytest.mark.django_db
class TestAllowList:
    @pytest.fixture
    def boss(self, admin):
        return people.actor(admin)

    def allow(self, boss, host, port):
        return commands.allow_host(
            actor=boss, host=host, port=port, reason="test receiver", now=clock.now()
        )

    def test_it_names_host_and_port(self, acme, boss):
        with serving(response(b"in")) as server, serving(response(b"no")) as wrong_port:
            self.allow(boss, "127.0.0.1", server.port)
            guarded = OutgoingClient(acme.pk)

            answer = guarded.request("GET", f"http://127.0.0.1:{server.port}/")
            with pytest.raises(Refused):
                guarded.request("GET", f"http://127.0.0.1:{wrong_port.port}/")
            with pytest.raises(Refused):
                guarded.request("GET", f"http://localhost:{server.port}/")

        assert answer.content == b"in"

    def test_it_is_the_workspaces_own(self, acme, other, boss):
        self.allow(boss, "127.0.0.1", 9999)

        assert queries.is_allowed_host(acme.pk, "127.0.0.1", 9999)
        assert not queries.is_allowed_host(other.pk, "127.0.0.1", 9999)

    def test_it_is_the_administrators_and_audited(self, acme, admin, builder):
        body = {"host": "ERP.internal.", "port": 8443, "reason": "orders"}
        at, builders = people.browser(admin), people.browser(builder)

        assert people.send(builders, "POST", "/api/v1/allowed-hosts/", body).status_code == 403
        made = people.send(at, "POST", "/api/v1/allowed-hosts/", body)
        assert made.status_code == 201
        assert made.json()["host"] == "erp.internal"
        assert _last_verb() == "host.allow"
        path = f"/api/v1/allowed-hosts/{made.json()['id']}/"
        assert people.send(builders, "DELETE", path).status_code == 403
        assert people.send(at, "POST", "/api/v1/allowed-hosts/", body).status_code == 409
        assert [
            row["port"] for row in builders.get("/api/v1/allowed-hosts/").json()["results"]
        ] == [8443]
        assert people.send(at, "DELETE", path).status_code == 204
        assert _last_verb() == "host.remove"
        assert people.send(at, "DELETE", path).status_code == 404

    @pytest.mark.parametrize(
        ("host", "port", "code"),
        [
            ("169.254.169.254", 80, "own_address"),
            ("0.0.0.0", 80, "own_address"),
            ("::ffff:10.0.0.1", 80, "own_address"),
            ("2130706433", 80, "invalid"),
            ("a b", 80, "invalid"),
            ("erp.internal", 0, "invalid"),
            ("erp.internal", 65536, "invalid"),
            ("", 80, "invalid"),
            ("erp.internal", "x", "invalid"),
        ],
    )
    def test_what_cannot_be_on_it(self, acme, admin, host, port, code):
        answer = people.send(
            people.browser(admin),
            "POST",
            "/api/v1/allowed-hosts/",
            {"host": host, "port": port, "reason": "r"},
        )

        assert answer.status_code == 422
        assert answer.json()["code"] == code

    def test_the_products_own_port_is_never_allowed(self, acme, boss):
        """Not by the command, and not where a row for it was put in by other means."""
        with pytest.raises(commands.OwnAddress):
            self.allow(boss, "127.0.0.1", settings.PORT)
        apps_row = AllowedHost(
            workspace_id=acme.pk, host="127.0.0.1", port=settings.PORT, reason="smuggled"
        )
        apps_row.save()

        with pytest.raises(Refused):
            OutgoingClient(acme.pk).request("GET", f"http://127.0.0.1:{settings.PORT}/")

    def test_a_stranger_gets_404(self, acme, other, boss):
        row = self.allow(boss, "erp.internal", 443)
        stranger = people.browser(people.person(other, "admin", email="boss@other.test"))

        answer = people.send(stranger, "DELETE", f"/api/v1/allowed-hosts/{row.pk}/")

        assert answer.status_code == 404


def _last_verb():
    return AuditEvent.objects.order_by("-id").values_list("verb", flat=True).first()

"""security.md, "Outgoing calls": a test per part of the sentence. Real sockets on 127.0.0.1."""

import ssl

import pytest

from apps.connections import wire
from apps.connections.outgoing import ConnectFailed, OutgoingClient, Refused, check_host
from apps.core.models import uuid7
from tests.security.calls import PUBLIC, client, everybody, get, nobody, tls_server
from tests.support.servers import certificate, response, serving


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

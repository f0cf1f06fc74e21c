"""security.md, "Outgoing calls": how much, how long, and what comes back. Real sockets on 127.0.0.1."""

import gzip
import socket
import time
import zlib

import pytest

from apps.connections import outgoing
from apps.connections.outgoing import ConnectFailed, OutgoingClient, TimedOut, TooLarge
from apps.core.models import uuid7
from tests.security.calls import PUBLIC, client, get, nobody
from tests.support.servers import response, serving


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

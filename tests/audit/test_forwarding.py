"""The trail in logs elsewhere: in the order of its seals, at least once, whatever the receiver does."""

import json
import ssl
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.audit.models import AuditSeal
from apps.audit.queries import audit_rows, with_values
from apps.audit.sealing import seal_pending
from apps.connections import commands as connections
from apps.connections import wire
from apps.core import clock
from apps.core.errors import Forbidden, Invalid, NotFound
from apps.operations import destinations, forwarding, syslog, trail_work
from apps.operations.models import TrailDestination
from tests.audit.receivers import Datagrams, Log, receiving
from tests.support import people
from tests.support.servers import certificate, response, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(now):
    return people.make_workspace("acme")


@pytest.fixture
def workspace_id(acme):
    return acme.pk


@pytest.fixture
def admin(acme):
    return people.actor(people.person(acme, "admin"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(forwarding, "TIMEOUT_S", 5.0)


@pytest.fixture
def send_to(admin, now):
    """A destination on 127.0.0.1 that the allow-list names."""

    def add(port, kind="syslog_tcp", *, address="", allowed=True, **given):
        if allowed:
            connections.allow_host(actor=admin, host="127.0.0.1", port=port, reason="log", now=now)
        url = f"http://127.0.0.1:{port}/trail" if kind == "http" else f"127.0.0.1:{port}"
        wanted = {
            "name": f"Log {port}", "kind": kind, "address": address or url, "secret": "",
            "with_rows": True, "with_checkpoints": True, "from_start": False, "now": now,
        }  # fmt: skip
        return destinations.add_destination(actor=admin, **(wanted | given)).pk

    return add


@pytest.fixture
def grown(write, now):
    """Three more seals of four rows each; the ids in the order of the seals."""

    def grow():
        ids = []
        for number in range(3):
            ids += write(4)
            seal_pending(now=now + timedelta(minutes=number + 1))
        return [str(one) for one in ids]

    return grow


def entries(lines):
    return [line["id"] for line in lines if line["type"] == "entry"]


def own(lines, ids):
    """What a receiver took of these rows; the trail holds others, such as of the settings."""
    return [one for one in entries(lines) if one in ids]


def due_again(pk):
    TrailDestination.objects.filter(pk=pk).update(next_try_at="2020-01-01T00:00:00Z")


def test_every_row_and_checkpoint_arrives_in_the_order_of_the_seals(send_to, grown):
    with receiving(Log()) as log:
        pk = send_to(log.port)
        ids = grown()
        forwarding.forward(pk)
    assert own(log.lines, ids) == ids
    places = [line["place"] for line in log.lines]
    ordered = sorted(
        places, key=lambda one: [float(p) if p != "end" else 1e9 for p in one.split(".")]
    )
    assert places == ordered
    checkpoints = [line for line in log.lines if line["type"] == "checkpoint"]
    assert [one["number"] for one in checkpoints] == [1, 2, 3]
    seal = AuditSeal.objects.get(number=3)
    assert checkpoints[-1]["hash"] == bytes(seal.hash).hex()
    assert checkpoints[-1]["line"].split()[3] == bytes(seal.signature).hex()
    row = TrailDestination.objects.get(pk=pk)
    assert (row.seal, row.leaf_index, row.failures) == (3, forwarding.AFTER_ALL, 0)
    assert row.sent == len(log.lines)
    assert forwarding.due_destinations(now=row.next_try_at) == []


def test_a_line_is_as_rfc_5424_has_it(send_to, grown, settings):
    settings.PUBLIC_URL = "https://signalbox.example.org/"
    with receiving(Log()) as log:
        pk = send_to(log.port)
        grown()
        forwarding.forward(pk)
    head = log.heads[-2].split()
    assert head[0] == "<110>1"
    assert head[2:6] == ["signalbox.example.org", "signalbox", "-", "flow.publish"]
    assert head[1].endswith("Z")
    assert len(head[1]) == 27
    assert log.heads[-1].split()[0] == "<109>1"


def test_a_line_break_or_odd_sign_ends_no_line(send_to, write, now):
    odd = "Zeile\nzwei \u2028 <1>1 \x00 ü 漢"
    with receiving(Log()) as log:
        pk = send_to(log.port)
        [row] = write(1, reason=odd)
        seal_pending(now=now)
        forwarding.forward(pk)
    [line] = [one for one in log.lines if one.get("id") == str(row)]
    assert line["reason"] == odd.replace("\x00", "\ufffd")


def test_only_this_workspaces_rows_are_sent(send_to, write, now):
    other = people.make_workspace("other")
    with receiving(Log()) as log:
        pk = send_to(log.port)
        mine = write(1)
        others = write(2, workspace_id=other.pk)
        seal_pending(now=now)
        forwarding.forward(pk)
    assert str(mine[0]) in entries(log.lines)
    assert not set(map(str, others)) & set(entries(log.lines))


class TestAReceiverThat:
    def test_is_down_gets_everything_when_it_is_back(self, send_to, grown):
        with receiving(Log()) as log:
            port = log.port
        pk = send_to(port)
        ids = grown()
        assert forwarding.forward(pk) == 0
        row = TrailDestination.objects.get(pk=pk)
        assert (row.seal, row.failures) == (0, 1)
        assert "Nobody answers" in row.last_error
        assert row.failing_since is not None
        assert pk not in forwarding.due_destinations(now=row.failing_since)
        with serving(response(b"")) as server:
            TrailDestination.objects.filter(pk=pk).update(
                kind="http", address=f"http://127.0.0.1:{server.port}/"
            )
            connections.allow_host(
                actor=people.actor(User.objects.get(email="admin@acme.test")), host="127.0.0.1", port=server.port,
                reason="log", now=row.created_at,
            )  # fmt: skip
            due_again(pk)
            assert forwarding.forward(pk) > 0
            took = _bodies(server)
        assert own(took, ids) == ids
        row.refresh_from_db()
        assert (row.failures, row.last_error) == (0, "")
        assert TrailDestination.objects.get(pk=pk).failing_since is None

    def test_is_slow_is_tried_again(self, send_to, grown, monkeypatch):
        monkeypatch.setattr(forwarding, "TIMEOUT_S", 0.5)
        with receiving(Log("hangs", "takes")) as log:
            pk = send_to(log.port)
            ids = grown()
            assert forwarding.forward(pk) == 0
            assert "time limit" in TrailDestination.objects.get(pk=pk).last_error
            log.stopping.set()
        with receiving(Log()) as log:
            _move(pk, log.port)
            monkeypatch.setattr(forwarding, "TIMEOUT_S", 5.0)
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids

    @pytest.mark.parametrize("status", ["500 Oops", "429 Slow", "301 Elsewhere", "404 Gone"])
    def test_answers_no_is_tried_again(self, send_to, grown, status):
        answers = [response(b"", status=status), response(b"", status="202 Accepted")]
        with serving(lambda *_: answers.pop(0) if len(answers) > 1 else answers[0]) as server:
            pk = send_to(server.port, "http")
            ids = grown()
            assert forwarding.forward(pk) == 0
            row = TrailDestination.objects.get(pk=pk)
            assert status[:3] in row.last_error
            assert row.seal == 0
            due_again(pk)
            forwarding.forward(pk)
            first, again = server.requests
        assert _key(first) == _key(again), "a repeat is known by its key"
        assert own(_lines(again), ids) == ids

    def test_closes_midway_over_tcp_is_sent_all_of_it_again(self, send_to, grown):
        with receiving(Log("resets", "takes")) as log:
            pk = send_to(log.port)
            ids = grown()
            assert forwarding.forward(pk) == 0
            assert TrailDestination.objects.get(pk=pk).seal == 0
            due_again(pk)
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids

    def test_closes_midway_over_http_is_sent_all_of_it_again(self, send_to, grown):
        def answer(request, peer, _stopping):
            if len(server.requests) == 1:
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
                return None
            return response(b"")

        with serving(answer) as server:
            pk = send_to(server.port, "http")
            ids = grown()
            assert forwarding.forward(pk) == 0
            due_again(pk)
            forwarding.forward(pk)
            assert own(_lines(server.requests[1]), ids) == ids

    def test_waits_longer_and_longer_but_never_over_five_minutes(self, send_to, grown):
        with receiving(Log()) as log:
            port = log.port
        pk = send_to(port)
        grown()
        for failures, least, most in [(0, 1, 2), (5, 32, 64), (4_000_000, 300, 301)]:
            TrailDestination.objects.filter(pk=pk).update(failures=failures)
            due_again(pk)
            before = clock.now()
            forwarding.forward(pk)
            row = TrailDestination.objects.get(pk=pk)
            assert row.failures == failures + 1
            pause = (row.next_try_at - before).total_seconds()
            assert least <= pause < most + 60, "however slow this machine is"


class TestAtLeastOnce:
    def test_a_crash_before_the_note_sends_the_batch_again(self, send_to, grown, monkeypatch):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ids = grown()

            def dies(*_):
                raise KeyboardInterrupt

            with monkeypatch.context() as broken:
                broken.setattr(forwarding, "_move_on", dies)
                with pytest.raises(KeyboardInterrupt):
                    forwarding.forward(pk)
            row = TrailDestination.objects.get(pk=pk)
            assert row.seal == 0
            assert row.leased_until is not None
            assert forwarding.forward(pk) == 0, "the lease of the dead one still stands"
            TrailDestination.objects.filter(pk=pk).update(leased_until="2020-01-01T00:00:00Z")
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids + ids

    def test_batches_leave_out_nothing_and_repeat_nothing(self, send_to, grown, monkeypatch):
        monkeypatch.setattr(forwarding, "AT_ONCE", 3)
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ids = grown()
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids
        places = [line["place"] for line in log.lines]
        assert len(places) == len(set(places))
        assert log.connections >= 5

    def test_a_batch_is_held_small(self, send_to, grown, monkeypatch):
        monkeypatch.setattr(forwarding, "MAX_BYTES", 1)
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ids = grown()
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids
        assert log.connections == len(log.lines)

    def test_two_senders_send_each_line_once(self, send_to, grown):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ids = grown()
            threads = [threading.Thread(target=_in_own_connection, args=(pk,)) for _ in range(4)]
            for one in threads:
                one.start()
            for one in threads:
                one.join()
            TrailDestination.objects.filter(pk=pk).update(leased_until=None)
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids


class TestWays:
    def test_tls_with_a_name_that_is_proved(self, send_to, grown, tmp_path, monkeypatch):
        pair = certificate(tmp_path, "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        trusting = ssl.create_default_context(cafile=str(pair[0]))
        trusting.sslsocket_class = wire.TimedTLSSocket
        monkeypatch.setattr(wire, "tls_context", lambda: trusting)
        with receiving(Log(context=context)) as log:
            pk = send_to(log.port, "syslog_tls")
            ids = grown()
            forwarding.forward(pk)
            assert TrailDestination.objects.get(pk=pk).last_error == ""
            wait_until(lambda: own(log.lines, ids) == ids)

    def test_tls_with_a_name_that_is_not_proved_sends_nothing(self, send_to, grown, tmp_path):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate(tmp_path, "127.0.0.1"))
        with receiving(Log(context=context)) as log:
            pk = send_to(log.port, "syslog_tls")
            grown()
            assert forwarding.forward(pk) == 0
            assert "did not prove who it is" in TrailDestination.objects.get(pk=pk).last_error
        assert log.lines == []

    def test_udp(self, send_to, grown):
        with receiving(Datagrams()) as log:
            pk = send_to(log.port, "syslog_udp")
            ids = grown()
            forwarding.forward(pk)
            wait_until(lambda: own(log.lines, ids) == ids)

    def test_a_long_row_is_shortened_for_a_datagram_and_stays_json(self, send_to, write, now):
        with receiving(Datagrams()) as log:
            pk = send_to(log.port, "syslog_udp")
            [row] = write(1, reason="x" * 30_000)
            seal_pending(now=now)
            forwarding.forward(pk)
            wait_until(lambda: str(row) in entries(log.lines))
        [line] = [one for one in log.lines if one.get("id") == str(row)]
        assert line["shortened"] is True
        assert "reason" not in line

    def test_a_secret_goes_along_over_https_only(self, send_to, admin, now):
        connections.set_secret(actor=admin, name="log", value="s3cret", hosts=["a.test"], now=now)
        for address, said in [
            ("http://a.test/", "https alone"),
            ("https://b.test/", "may not go to b.test"),
        ]:
            with pytest.raises(Invalid, match=said):
                send_to(1, "http", address=address, secret="log", allowed=False)
        with pytest.raises(Invalid, match="There is no secret"):
            send_to(1, "http", address="https://a.test/", secret="other", allowed=False)
        send_to(1, "http", address="https://a.test/", secret="log", allowed=False)

    def test_rows_alone_or_checkpoints_alone(self, send_to, grown):
        with receiving(Log()) as rows, receiving(Log()) as points:
            first = send_to(rows.port, with_checkpoints=False)
            second = send_to(points.port, with_rows=False)
            ids = grown()
            forwarding.forward(first)
            forwarding.forward(second)
        assert {one["type"] for one in rows.lines} == {"entry"}
        assert own(rows.lines, ids) == ids
        assert [one["number"] for one in points.lines] == [1, 2, 3]

    def test_from_the_first_seal_or_from_now_on(self, send_to, grown):
        before = grown()
        with receiving(Log()) as late, receiving(Log()) as whole:
            first = send_to(late.port)
            second = send_to(whole.port, from_start=True)
            after = grown()
            forwarding.forward(first)
            forwarding.forward(second)
        assert own(late.lines, before + after) == after
        assert own(whole.lines, before + after) == before + after


class TestGuard:
    @pytest.mark.parametrize("kind", ["http", "syslog_tcp", "syslog_tls", "syslog_udp"])
    def test_an_address_inside_the_network_is_refused_unless_it_is_on_the_list(
        self, send_to, grown, kind
    ):
        with receiving(Log()) as log:
            pk = send_to(log.port, kind, allowed=False)
            grown()
            assert forwarding.forward(pk) == 0
            assert "inside a private network" in TrailDestination.objects.get(pk=pk).last_error
        assert log.connections == 0

    def test_the_products_own_port_is_never_allowed(self, send_to, grown, settings):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            settings.PORT = log.port
            grown()
            assert forwarding.forward(pk) == 0
        assert log.connections == 0

    @pytest.mark.parametrize(
        ("kind", "address"),
        [
            ("http", "ftp://a.test/"),
            ("http", "https://user@a.test/"),
            ("http", "a.test"),
            ("http", "https://a.test/\nHost: b"),
            ("syslog_tcp", "a.test"),
            ("syslog_tcp", "a.test:0"),
            ("syslog_tcp", "a.test:70000"),
            ("syslog_tcp", "https://a.test:1/"),
            ("syslog_udp", ""),
        ],
    )
    def test_an_address_that_is_none_is_refused(self, send_to, kind, address):
        with pytest.raises(Invalid):
            send_to(1, kind, address=address or " ", allowed=False)


class TestKeeping:
    def test_is_in_the_trail_without_what_an_address_hides(self, send_to, admin, now):
        pk = send_to(1, "http", address="https://a.test/x?token=hush", allowed=False)
        destinations.change_destination(
            actor=admin,
            destination_id=pk,
            changes={"address": "https://a.test/x?token=hush2", "name": "Other"},
            now=now,
        )
        destinations.remove_destination(actor=admin, destination_id=pk, now=now)
        rows = with_values(audit_rows(admin.workspace_id, verb="destination."))
        assert [row.event.verb for row in rows] == [
            "destination.remove",
            "destination.change",
            "destination.add",
        ]
        assert "hush" not in json.dumps([row.values for row in rows])
        with pytest.raises(NotFound):
            destinations.remove_destination(actor=admin, destination_id=pk, now=now)

    def test_is_the_administrators(self, acme, now, send_to):
        pk = send_to(1, allowed=False)
        for role in ("auditor", "builder", "operator"):
            actor = people.actor(people.person(acme, role))
            with pytest.raises(Forbidden):
                destinations.remove_destination(actor=actor, destination_id=pk, now=now)

    def test_a_paused_one_is_sent_nothing_until_it_goes_on(self, send_to, grown, admin, now):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ids = grown()
            change = {"actor": admin, "destination_id": pk, "now": now}
            destinations.change_destination(**change, changes={"is_paused": True})
            assert forwarding.forward(pk) == 0
            destinations.change_destination(**change, changes={"is_paused": False})
            forwarding.forward(pk)
        assert own(log.lines, ids) == ids

    def test_the_button_says_whether_a_line_is_taken(self, send_to, admin, now):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            ask = {"actor": admin, "destination_id": pk, "now": now}
            assert destinations.test_destination(**ask) == (True, "")
            assert log.lines[0]["type"] == "test"
        taken, fault = destinations.test_destination(**ask)
        assert not taken
        assert "Nobody answers" in fault
        assert TrailDestination.objects.get(pk=pk).failures == 0, "a test moves nothing"

    def test_no_value_is_sent_that_the_trail_masks(self, send_to, admin, now):
        with receiving(Log()) as log:
            pk = send_to(log.port)
            connections.set_secret(
                actor=admin, name="erp", value="correct-horse", hosts=[], now=now
            )
            seal_pending(now=now)
            forwarding.forward(pk)
        assert "secret.set" in {line.get("verb") for line in log.lines}
        assert "correct-horse" not in json.dumps(log.lines)

    def test_the_clock_hands_on_what_is_due_and_only_that(self, send_to, grown, monkeypatch):
        handed = []
        monkeypatch.setattr(trail_work, "_hand", lambda task, **given: handed.append((task, given)))
        trail_work.send_to_logs()
        assert handed == []
        with receiving(Log()) as log:
            pk = send_to(log.port)
            grown()
            trail_work.send_to_logs()
            assert handed == [("operations.forward_trail", {"destination": str(pk)})]
            forwarding.forward(pk)
            trail_work.send_to_logs()
        assert len(handed) == 1


def test_a_frame_holds_its_length():
    assert syslog.framed(b"<1>1 x") == b"6 <1>1 x"


def wait_until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def _move(pk, port):
    row = TrailDestination.objects.get(pk=pk)
    TrailDestination.objects.filter(pk=pk).update(
        address=f"127.0.0.1:{port}", next_try_at="2020-01-01T00:00:00Z"
    )
    connections.allow_host(
        actor=people.actor(User.objects.get(email="admin@acme.test")), host="127.0.0.1", port=port, reason="x",
        now=row.created_at,
    )  # fmt: skip


def _in_own_connection(pk):
    try:
        forwarding.forward(pk)
    finally:
        connection.close()


def _lines(request):
    return [json.loads(one) for one in request.partition(b"\r\n\r\n")[2].splitlines()]


def _bodies(server):
    return [line for request in server.requests for line in _lines(request)]


def _key(request):
    return next(one for one in request.split(b"\r\n") if one.lower().startswith(b"idempotency"))

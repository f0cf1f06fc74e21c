"""Effects: leases, fences, retries, keys, unknown outcomes (engine rules 12 to 14)."""

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connections

from apps.connections.commands import allow_host, set_secret
from apps.core import clock
from apps.engine.lifecycle import EffectStatus
from apps.runs import commands, effect_claims, effect_reports, effects, tries, verify
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunCommand, RunEvent
from apps.runs.slots import Slots
from tests.runs.support import assert_replays, document, journal, last_row, outputs, status
from tests.support.servers import response, serving

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "Content-Type: application/json"


@pytest.fixture(autouse=True)
def own_slots(monkeypatch):
    """What one test claimed by hand and never left is not the next one's."""
    monkeypatch.setattr(effects, "_slots", Slots())


@pytest.fixture
def server_of(bench, people_of):
    """A server on this machine that the workspace may call."""
    allow_host(actor=people_of(bench), host="127.0.0.1", port=None, reason="Test.", now=clock.now())
    return serving


def calling(port, *, links=(), **config):
    return document(
        {
            "call": {
                "type": "http.request",
                "config": {
                    "url": f"http://127.0.0.1:{port}/orders",
                    "body": {"n": "= trigger.body.n"},
                    "retry": {"max_attempts": 3, "first_delay_s": 0},
                    **config,
                },
            },
            "after": {"type": "map", "config": {"fields": {"s": "= steps.call.output.status"}}},
            "mend": {"type": "map", "config": {"fields": {"code": "= steps.call.error.code"}}},
        },
        ["trigger -> call", "call.done -> after", *links],
    )


def started(bench, doc, body=None):
    run_id = bench.start(bench.publish(doc), body or {"n": 1})
    drive_all()
    return run_id


def claimed() -> effect_claims.Claimed:
    """The next effect, which there is."""
    effect = effects.claim()
    assert effect is not None
    return effect


def header(request, name):
    for line in request.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        key, _, value = line.partition(": ")
        if key.lower() == name.lower():
            return value
    return None


def bytes_of(request):
    return request.split(b"\r\n\r\n", 1)[1]


class TestAnswers:
    """Rule 27, and issue section 4: a host that is slow, gone, private, or answers HTML."""

    def test_json_is_parsed_and_numbers_stay_exact(self, bench, server_of):
        with server_of(response(b'{"price": 1.50, "big": 12345678901234567890}', JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        body = outputs(run_id)["call"]["body"]
        assert str(body["price"]) == "1.50"
        assert body["big"] == 12345678901234567890
        assert len(server.requests) == 1
        assert bytes_of(server.requests[0]) == b'{"n":1}'
        assert header(server.requests[0], "Idempotency-Key") == Effect.objects.get().idempotency_key
        assert_replays(run_id)

    def test_html_with_status_200_is_text(self, bench, server_of):
        with server_of(response(b"<p>Hello</p>", "Content-Type: text/html")) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert outputs(run_id)["call"]["body"] == "<p>Hello</p>"
        assert outputs(run_id)["call"]["headers"]["content-type"] == "text/html"

    def test_what_says_it_is_json_and_is_not_is_a_permanent_error(self, bench, server_of):
        with server_of(response(b"<p>Hello</p>", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert error_of(run_id)["code"] == "bad_answer"
        assert len(server.requests) == 1

    def test_a_4xx_leaves_by_error_with_its_output_and_is_not_tried_again(self, bench, server_of):
        with server_of(response(b'{"why": "no"}', JSON, status="404 Not Found")) as server:
            run_id = started(bench, calling(server.port, links=["call.error -> mend"]))
            bench.settle()

        assert status(run_id) == "completed"
        assert outputs(run_id)["mend"] == {"code": "http_status"}
        assert outputs(run_id)["call"]["status"] == 404
        assert outputs(run_id)["call"]["body"] == {"why": "no"}
        assert len(server.requests) == 1

    def test_an_unlinked_4xx_fails_the_run_with_step_class_and_sentence(self, bench, server_of):
        with server_of(response(b"", status="404 Not Found")) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        error = error_of(run_id)
        assert (error["step"], error["class"], error["code"]) == (
            "call",
            "permanent",
            "http_status",
        )
        assert error["message"].endswith("/orders answered 404.")

    @pytest.mark.parametrize("said", ["503 Busy", "429 Slow down", "408 Late", "500 Oh"])
    def test_a_transient_answer_is_tried_again_under_the_same_key_with_the_same_bytes(
        self, bench, server_of, said
    ):
        answers = iter([response(b"", status=said), response(b"{}", JSON)])
        with server_of(lambda *_: next(answers)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        first, second = server.requests
        assert first == second
        assert header(first, "Idempotency-Key")
        assert ("step.retried", "call") in journal(run_id)
        assert ("step.attempted", "call") in journal(run_id)
        assert Effect.objects.get().attempt == 2
        assert_replays(run_id)

    def test_tries_end_and_the_last_error_stands(self, bench, server_of):
        with server_of(response(b"", status="503 Busy")) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert len(server.requests) == 3
        assert error_of(run_id)["class"] == "transient"

    def test_retry_after_is_honoured_and_the_run_waits_meanwhile(self, bench, server_of):
        busy = response(b"", "Retry-After: 120", status="429 Slow down")
        with server_of(busy) as server:
            run_id = started(bench, calling(server.port))
            before = clock.now()
            effects.work_effects()
            drive_all()

        effect = Effect.objects.get()
        assert effect.status == "queued"
        assert before + timedelta(seconds=119) < effect.available_at
        assert effects.claim() is None
        assert status(run_id) == "waiting"

    def test_back_off_doubles_and_has_an_end(self):
        for attempt in range(1, 30):
            whole = min(2.0 * 2 ** (attempt - 1), tries.LONGEST_DELAY_S)
            assert whole / 2 <= tries.backoff(2.0, attempt) <= whole

    def test_a_host_that_is_gone_is_tried_again_then_fails(self, bench, server_of):
        with server_of(b"") as server:
            port = server.port
        run_id = started(bench, calling(port))
        bench.settle()

        assert error_of(run_id)["class"] == "transient"
        assert Effect.objects.get().attempt == 3

    def test_a_private_host_is_refused_and_never_called(self, bench):
        with serving(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert error_of(run_id)["class"] == "permanent"
        assert server.requests == []

    def test_a_redirect_is_not_followed(self, bench, server_of):
        with server_of(response(b"", "Location: /elsewhere", status="302 Found")) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert outputs(run_id)["call"]["status"] == 302
        assert len(server.requests) == 1


class TestSecrets:
    VALUE = "planted-4711-secret"

    def test_one_is_filled_in_by_the_worker_and_its_echo_is_masked(
        self, bench, server_of, people_of
    ):
        def echo(request, *_):
            return response(b'{"you": "' + header(request, "Authorization").encode() + b'"}', JSON)

        with server_of(echo) as server:
            set_secret(
                actor=people_of(bench),
                name="crm",
                value=self.VALUE,
                hosts=["127.0.0.1"],
                now=clock.now(),
            )
            doc = calling(
                server.port,
                headers={"Authorization": {"secret": "crm", "prefix": "Bearer "}},
            )
            run_id = started(bench, doc)
            bench.settle()

        assert header(server.requests[0], "Authorization") == f"Bearer {self.VALUE}"
        assert status(run_id) == "completed"
        assert self.VALUE not in str(outputs(run_id))
        assert self.VALUE not in str(list(RunEvent.objects.values_list("data", flat=True)))
        assert self.VALUE not in str(Effect.objects.get().input)

    def test_one_that_may_not_go_there_fails_and_nothing_is_sent(self, bench, server_of, people_of):
        with server_of(response()) as server:
            set_secret(
                actor=people_of(bench),
                name="crm",
                value=self.VALUE,
                hosts=["api.example.org"],
                now=clock.now(),
            )
            run_id = started(bench, calling(server.port, headers={"X": {"secret": "crm"}}))
            bench.settle()

        assert error_of(run_id)["class"] == "permanent"
        assert server.requests == []


class TestUnknown:
    """Rule 14."""

    @pytest.fixture
    def silent(self, server_of):
        def never(_request, _peer, stopping):
            stopping.wait(1)

        with server_of(never) as server:
            yield server

    def test_sent_without_an_answer_is_repeated_under_the_same_key(self, bench, silent):
        run_id = started(
            bench,
            calling(
                silent.port, timeout_s=Decimal("0.2"), retry={"max_attempts": 2, "first_delay_s": 0}
            ),
        )
        bench.settle()

        assert len({header(one, "Idempotency-Key") for one in silent.requests}) == 1
        assert error_of(run_id)["class"] == "transient"
        assert Effect.objects.get().attempt == 2

    def test_or_leaves_by_error_where_that_is_wanted(self, bench, silent):
        run_id = started(bench, calling(silent.port, timeout_s=Decimal("0.2"), on_unknown="fail"))
        bench.settle()

        assert error_of(run_id)["class"] == "unknown"
        assert Effect.objects.get().status == "unknown"
        assert len(silent.requests) == 1

    @pytest.mark.parametrize("sent", [True, False])
    def test_a_lease_lost_after_sending_is_unknown_and_before_is_not(self, bench, sent):
        run_id = started(bench, calling(9, on_unknown="fail"))
        effects.claim()
        lose_lease(sent_at=clock.now() if sent else None)
        drive_all()

        assert Effect.objects.get().status == ("unknown" if sent else "queued")
        assert status(run_id) == ("failed" if sent else "waiting")


class TestLeases:
    """Rule 12."""

    def test_only_one_worker_gets_an_effect(self, bench):
        started(bench, calling(9))

        assert effects.claim() is not None
        assert effects.claim() is None

    def test_a_lost_lease_is_a_try_and_a_death_and_the_next_worker_has_a_higher_fence(self, bench):
        run_id = started(bench, calling(9))
        first = claimed()
        lose_lease()
        second = claimed()
        drive_all()

        assert (second.fence, second.attempt, second.deaths) == (first.fence + 1, 2, 1)
        assert (second.key, second.input) == (first.key, first.input)
        assert [type_ for type_, step in journal(run_id) if step == "call"] == [
            *("step.started", "step.retried", "step.attempted")
        ]

    def test_a_late_result_is_refused_and_journaled(self, bench, server_of):
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            late = claimed()
            lose_lease()
            bench.settle()
            assert status(run_id) == "completed"
            effects._report(late, EffectStatus.FAILED, "fail", {})

        last = last_row(run_id)
        assert (last.type, last.step, last.data["reason"]) == (
            "outcome.ignored",
            "call",
            "run_over",
        )
        assert status(run_id) == "completed"
        assert verify.check_runs().problems == []

    def test_a_late_result_of_a_run_that_goes_on_is_journaled_too(self, bench):
        run_id = started(bench, calling(9))
        late = claimed()
        lose_lease()
        effects.claim()
        effects._report(late, EffectStatus.SUCCEEDED, "complete", {})
        drive_all()

        last = last_row(run_id)
        assert last.data == {"visit": 1, "outcome": "complete", "reason": "lease_lost"}
        assert Effect.objects.get().status == "running"  # the other worker's

    def test_who_has_lost_the_lease_sends_nothing_any_more(self, bench, server_of):
        with server_of(response(b"{}", JSON)) as server:
            started(bench, calling(server.port))
            late = claimed()
            lose_lease()
            effects.perform(late)

            assert server.requests == []

    def test_the_result_of_a_cancelled_run_is_refused(self, bench, people_of, server_of):
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            held = claimed()
            commands.cancel_run(actor=people_of(bench), run_id=run_id, reason="", now=clock.now())
            drive_all()
            effects.perform(held)

        assert server.requests == []
        assert status(run_id) == "cancelled"
        assert journal(run_id)[-1] == ("outcome.ignored", "call")

    def test_the_third_death_makes_the_outcome_unknown(self, bench):
        run_id = started(bench, calling(9))
        for _ in range(3):
            assert effects.claim() is not None
            lose_lease()
        drive_all()

        assert Effect.objects.get().status == "unknown"
        assert error_of(run_id)["class"] == "unknown"

    def test_after_two_deaths_it_runs_alone(self, bench):
        started(bench, calling(9))
        Effect.objects.update(deaths=2)

        assert effects._slots.enter()  # another thread of this process is at work
        assert effects._slots.enter()
        assert effects.claim() is None
        effects._slots.leave()
        assert effects.claim() is not None
        assert not effects._slots.enter()  # nothing else beside it
        effects._slots.leave()
        assert effects._slots.enter()
        effects._slots.leave()

    def test_heartbeats_keep_the_lease_and_stop_at_the_deadline(self, bench, monkeypatch):
        monkeypatch.setattr(effects, "HEARTBEAT_S", 0.02)
        started(bench, calling(9))
        effect = claimed()
        hearts = effects._Hearts()
        long_ago = clock.now() - timedelta(hours=1)
        with hearts.beating(effect, 60):
            Effect.objects.update(lease_until=long_ago)
            wait_until(lambda: Effect.objects.filter(lease_until__gt=clock.now()).exists())
        beats: list[float] = []
        overdue = effects._Hearts()
        monkeypatch.setattr(overdue, "_renew", beats.append)
        with overdue.beating(effect, -1):
            time.sleep(0.1)

        assert beats == []

    def test_no_database_connection_is_held_while_the_other_side_thinks(self, bench, server_of):
        ours, seen = connections["default"], []

        def answer(*_):
            seen.append(ours.connection)
            return response(b"{}", JSON)

        with server_of(answer) as server:
            started(bench, calling(server.port))
            bench.settle()

        assert seen == [None]

    def test_an_outcome_is_reported_when_the_database_is_back(self, bench, server_of, monkeypatch):
        monkeypatch.setattr(effects, "REPORT_AGAIN_S", 0)
        plain, tries = effects._guarded, []

        def guarded(*arguments):
            tries.append(1)
            if len(tries) < 3:
                raise OperationalError("planted")
            return plain(*arguments)

        monkeypatch.setattr(effects, "_guarded", guarded)
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        assert len(server.requests) == 1

    def test_a_database_that_is_away_before_sending_fails_nothing(
        self, bench, server_of, monkeypatch
    ):
        plain, tries = effects.Context._about_to_send, []

        def about_to_send(context):
            tries.append(1)
            if len(tries) == 1:
                raise OperationalError("planted")
            plain(context)

        monkeypatch.setattr(effects.Context, "_about_to_send", about_to_send)
        with server_of(response(b"{}", JSON)) as server:
            run_id = started(bench, calling(server.port))
            bench.settle()

        assert status(run_id) == "completed"
        assert len(server.requests) == 1

    def test_a_step_that_raises_is_an_outcome_and_says_no_more_than_it_may(
        self, bench, monkeypatch
    ):
        def http(*_arguments, **_options):
            raise RuntimeError("planted \0 fault")

        monkeypatch.setattr(effects.Context, "http", http)
        run_id = started(bench, calling(9))
        bench.settle()

        assert error_of(run_id)["code"] == "step_fault"
        assert "\0" not in error_of(run_id)["message"]

    def test_lanes_are_drawn_by_lot_so_a_flood_holds_up_nobody(self, bench):
        flood = bench.publish(calling(9))
        for _ in range(40):
            bench.start(flood, {"n": 1})
        other = bench.start(bench.publish(calling(9)), {"n": 1})
        drive_all()

        taken = [claimed().run_id for _ in range(30)]

        assert other in taken

    def test_threads_that_ask_together_get_one_each_and_every_lane_its_turn(self, bench):
        flood = bench.publish(calling(9))
        for _ in range(50):
            bench.start(flood, {"n": 1})
        others = [bench.start(bench.publish(calling(9)), {"n": 1}) for _ in range(3)]
        drive_all()

        first = effect_claims._claim_for([True] * 8)
        rest = effect_claims._claim_for([True] * 60)

        assert None not in first
        assert set(others) <= {one.run_id for one in first if one}
        assert [one is None for one in rest] == [False] * 45 + [True] * 15
        assert len({one.id for one in (*first, *rest) if one}) == 53

    def test_threads_that_report_together_count_each_under_its_own_fence(self, bench):
        version = bench.publish(calling(9))
        for _ in range(3):
            bench.start(version, {"n": 1})
        drive_all()
        held = [claimed() for _ in range(3)]
        Effect.objects.filter(pk=held[1].id).update(fence=7)
        reports = [
            effect_reports.Report(one.id, one.fence, EffectStatus.SUCCEEDED, "complete", "{}")
            for one in held
        ]

        assert effect_reports._write_reports(reports) == [True, False, True]
        assert RunCommand.objects.filter(kind="complete").count() == 2
        assert Effect.objects.get(pk=held[1].id).status == "running"
        assert effect_reports._write_marks([(one.id, one.fence) for one in held]) == [False] * 3


class TestActivation:
    """Rule 13."""

    def test_each_visit_has_a_key_of_its_own(self, bench, server_of):
        answers = iter([response(b'{"again": true}', JSON), response(b'{"again": false}', JSON)])
        with server_of(lambda *_: next(answers)) as server:
            doc = document(
                {
                    "call": {
                        "type": "http.request",
                        "config": {"url": f"http://127.0.0.1:{server.port}/", "method": "GET"},
                    },
                    "more": {
                        "type": "decide",
                        "config": {
                            "branches": [{"port": "yes", "when": "steps.call.output.body.again"}],
                            "otherwise": "no",
                        },
                    },
                },
                ["trigger -> call", "call.done -> more", "more.yes -> call"],
            )
            run_id = started(bench, doc)
            bench.settle()

        assert status(run_id) == "completed"
        assert len({header(one, "Idempotency-Key") for one in server.requests}) == 2

    def test_the_input_is_resolved_once_and_stored(self, bench):
        started(bench, calling(9), {"n": 17})

        assert Effect.objects.get().input["body"] == {"n": 17}


class TestMail:
    def sent(self, bench, **config):
        doc = document(
            {
                "tell": {
                    "type": "mail.send",
                    "config": {"to": "ann@example.org", "subject": "Hi", "text": "Hello", **config},
                }
            },
            ["trigger -> tell"],
        )
        run_id = started(bench, doc, {"s": "Hi\r\nBcc: eve@example.org", "to": "a@b.c\nx: y"})
        bench.settle()
        return run_id

    def test_one_is_sent_and_its_id_follows_from_the_activation(self, bench, mailoutbox):
        run_id = self.sent(bench)

        assert status(run_id) == "completed"
        (mail,) = mailoutbox
        assert mail.to == ["ann@example.org"]
        assert Effect.objects.get().idempotency_key in mail.extra_headers["Message-ID"]

    @pytest.mark.parametrize(
        "config",
        [{"subject": "= trigger.body.s"}, {"to": "= trigger.body.to"}],
        ids=["subject", "to"],
    )
    def test_line_breaks_are_refused_and_nothing_is_sent(self, bench, mailoutbox, config):
        run_id = self.sent(bench, **config)

        assert error_of(run_id)["class"] == "permanent"
        assert mailoutbox == []


def error_of(run_id):
    from apps.runs.models import Run

    run = Run.objects.get(pk=run_id)
    assert run.status == "failed"
    return run.error


def lose_lease(**fields):
    """What a worker's death looks like from outside, half a minute later."""
    Effect.objects.filter(status="running").update(
        lease_until=clock.now() - timedelta(seconds=1), **fields
    )
    assert effects.expire_leases() == 1


def wait_until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def test_commands_left_behind_are_none(bench):
    started(bench, calling(9))
    assert not RunCommand.objects.exists()

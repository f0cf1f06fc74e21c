"""Effects: leases, fences, retries, keys, unknown outcomes (engine rules 12 to 14)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.connections.commands import set_secret
from apps.core import clock
from apps.runs import effects, tries
from apps.runs.drive import drive_all
from apps.runs.models import Effect, RunCommand, RunEvent
from tests.runs.calls import bytes_of, calling, error_of, header, lose_lease, started
from tests.runs.support import assert_replays, document, journal, outputs, status
from tests.support.servers import response, serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_slots")]

JSON = "Content-Type: application/json"


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


def test_commands_left_behind_are_none(bench):
    started(bench, calling(9))
    assert not RunCommand.objects.exists()

"""Seals over what was written, in their own order, on disk too (engine rule 37)."""

import base64
import inspect
import logging
import os
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction

from apps.audit import sealing
from apps.audit.checkpoints import CheckpointConflict, append_checkpoints
from apps.audit.keys import signing_keys
from apps.audit.models import AuditLeaf, AuditSeal, AuditUnsealed
from apps.audit.queries import rows_after
from apps.audit.sealing import seal_pending
from apps.audit.verify import verify_trail

pytestmark = pytest.mark.django_db


def codes(checkpoints, **options):
    return [problem.code for problem in verify_trail(checkpoints=checkpoints, **options).problems]


class TestSealing:
    def test_takes_every_row_that_waits_once(self, write, now, checkpoints):
        ids = write(7)
        assert seal_pending(now=now, limit=3) == 7
        assert seal_pending(now=now) == 0
        assert list(
            AuditLeaf.objects.order_by("seal_number", "leaf_index").values_list(
                "event_id", flat=True
            )
        ) == sorted(ids)
        assert [seal.count for seal in AuditSeal.objects.order_by("number")] == [3, 3, 1]
        assert not AuditUnsealed.objects.exists()
        assert codes(checkpoints) == []

    def test_makes_no_seal_over_nothing(self, now, checkpoints):
        assert seal_pending(now=now) == 0
        assert not AuditSeal.objects.exists()
        assert codes(checkpoints) == []

    def test_sets_aside_a_row_that_was_written_without_the_key(
        self, write, now, as_superuser, checkpoints, caplog
    ):
        _, forged = write(2)
        as_superuser(
            "update audit_unsealed set row_hash = '\\x00', mac = '\\x00' where event_id = %s",
            forged,
        )
        with caplog.at_level(logging.ERROR):
            assert seal_pending(now=now) == 1
        assert "changed before they were sealed" in caplog.text
        assert AuditUnsealed.objects.get(refused=True).event_id == forged
        write(1)
        assert seal_pending(now=now) == 1
        report = verify_trail(checkpoints=checkpoints)
        assert {(p.code, p.row) for p in report.problems} == {
            ("unsealed_forged", str(forged)),
            ("row_changed", str(forged)),
        }


@pytest.mark.django_db(transaction=True)
class TestSealersTogether:
    def test_who_finds_another_at_work_leaves_the_rows_to_it(self, write, now):
        write(3)
        held, release = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():
                assert sealing._is_only_sealer()
                held.set()
                release.wait(10)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(10)
        assert seal_pending(now=now) == 0
        release.set()
        thread.join()
        assert seal_pending(now=now) == 3

    def test_leave_no_gap_and_seal_nothing_twice_while_others_write(
        self, write, now, checkpoints, ada, workspace_id
    ):
        failures = []

        def run(work):
            try:
                work()
            except Exception as error:  # noqa: BLE001 - told by the test's own thread
                failures.append(error)
            finally:
                connection.close()

        def write_some():
            for _ in range(15):
                write(3)

        def seal_some():
            for _ in range(15):
                seal_pending(now=now, limit=10)

        threads = [
            threading.Thread(target=run, args=[work]) for work in [write_some] * 2 + [seal_some] * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seal_pending(now=now)

        assert failures == []
        report = verify_trail(checkpoints=checkpoints)
        assert report.problems == []
        assert (report.rows, report.unsealed) == (90, 0)
        assert report.checkpoints == report.seals

    def test_a_row_that_commits_late_is_in_a_later_seal(self, write, now, checkpoints):
        begun, end = threading.Event(), threading.Event()
        late = []

        def commit_late():
            with transaction.atomic():
                late.extend(write(1))
                begun.set()
                end.wait(10)
            connection.close()

        thread = threading.Thread(target=commit_late)
        thread.start()
        assert begun.wait(10)
        write(2)
        assert seal_pending(now=now) == 2
        end.set()
        thread.join()
        assert seal_pending(now=now) == 1
        assert AuditLeaf.objects.get(event_id=late[0]).seal_number == 2
        assert codes(checkpoints) == []

    def test_writers_wait_for_no_sealer(self, write, now):
        """A sealer in the middle of its work holds nothing that an insert needs."""
        write(2)
        held, release = threading.Event(), threading.Event()

        def seal_slowly():
            with transaction.atomic():
                inspect.unwrap(sealing._seal_batch)(now, 100)
                held.set()
                release.wait(10)
            connection.close()

        thread = threading.Thread(target=seal_slowly)
        thread.start()
        assert held.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '2s'")
        write(2)
        release.set()
        thread.join()
        assert AuditUnsealed.objects.count() == 2


class TestCheckpoints:
    def test_are_one_line_for_each_seal_and_only_ours_to_read(self, sealed, checkpoints):
        lines = checkpoints.read_text().splitlines()
        assert [line.split()[:2] for line in lines] == [["1", "1"], ["1", "2"], ["1", "3"]]
        assert checkpoints.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("kept", [0, 1, 2])
    def test_missing_after_a_crash_are_made_good_by_the_next_run(
        self, sealed, checkpoints, kept, now
    ):
        whole = checkpoints.read_bytes()
        checkpoints.write_bytes(b"".join(whole.splitlines(keepends=True)[:kept]))
        assert codes(checkpoints) == []
        assert "does not have seals" in verify_trail(checkpoints=checkpoints).notes[0]
        seal_pending(now=now)
        assert checkpoints.read_bytes() == whole

    @pytest.mark.parametrize("torn", [1, 50, 200, 400])
    def test_torn_in_the_middle_are_completed(self, sealed, checkpoints, torn, now):
        whole = checkpoints.read_bytes()
        checkpoints.write_bytes(whole[:torn])
        seal_pending(now=now)
        assert checkpoints.read_bytes() == whole

    def test_a_crash_between_commit_and_line_loses_nothing(
        self, write, now, checkpoints, monkeypatch
    ):
        write(2)
        with monkeypatch.context() as patch:
            patch.setattr(sealing, "append_checkpoints", lambda path: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                seal_pending(now=now)
        assert not checkpoints.exists()
        write(1)
        seal_pending(now=now)
        assert len(checkpoints.read_text().splitlines()) == 2
        assert codes(checkpoints) == []

    def test_are_on_the_disk_before_the_call_returns(self, write, now, checkpoints, monkeypatch):
        synced: list[str] = []
        real = os.fsync

        def fsync(descriptor):
            synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        write(1)
        seal_pending(now=now)
        assert synced == [str(checkpoints), str(checkpoints.parent)]

    @pytest.mark.parametrize("line", [b"1 9 00 00\n", b"nonsense\n", b"1 3 00 00\n", b"1 4 half"])
    def test_are_never_continued_by_another_chain(self, sealed, checkpoints, line, write, now):
        with checkpoints.open("ab") as file:
            file.write(line)
        before = checkpoints.read_bytes()
        write(1)
        with pytest.raises(CheckpointConflict):
            seal_pending(now=now)
        assert checkpoints.read_bytes() == before
        assert AuditSeal.objects.count() == 4, "sealing itself goes on"

    def test_half_a_line_after_the_last_seal_is_a_conflict(self, sealed, checkpoints):
        with checkpoints.open("ab") as file:
            file.write(b"1 4 ab")
        with pytest.raises(CheckpointConflict, match="half a line"):
            append_checkpoints(checkpoints)

    def test_two_writers_write_each_line_once(self, sealed, checkpoints):
        whole = checkpoints.read_bytes()
        assert append_checkpoints(checkpoints) == 0
        assert checkpoints.read_bytes() == whole


class TestKeys:
    def new_key(self):
        return base64.b64encode(os.urandom(32)).decode()

    def test_a_listed_old_key_hands_over_to_the_new_one(
        self, sealed, write, settings, now, checkpoints
    ):
        old = signing_keys()[0]
        settings.SIGNING_KEY = f"{self.new_key()}, {settings.SIGNING_KEY}"
        write(2)
        seal_pending(now=now)
        settings.SIGNING_KEY = settings.SIGNING_KEY.partition(",")[0]
        write(2)
        seal_pending(now=now)

        kinds = [
            (seal.kind, seal.key == old.public.hex())
            for seal in AuditSeal.objects.order_by("number")
        ]
        assert kinds == [("rows", True)] * 3 + [("key", True)] + [("rows", False)] * 2
        assert codes(checkpoints, fingerprints=[old.fingerprint]) == []

    def test_an_unlisted_old_key_is_asked_for(
        self, sealed, settings, checkpoints, write_seal, caplog
    ):
        old = signing_keys()[0]
        settings.SIGNING_KEY = self.new_key()
        with caplog.at_level(logging.WARNING):
            write_seal()
        assert "old one is not listed" in caplog.text
        [problem] = verify_trail(checkpoints=checkpoints).problems
        assert (problem.code, problem.seal) == ("key_unknown", 1)
        assert old.fingerprint in problem.message

    @pytest.mark.parametrize(
        "bad", ["", " , ", "short", "!" * 44, base64.b64encode(b"x" * 31).decode()]
    )
    def test_a_bad_key_is_refused_with_what_to_do(self, settings, bad):
        settings.SIGNING_KEY = bad
        with pytest.raises(ImproperlyConfigured, match="SIGNALBOX_SIGNING_KEY"):
            signing_keys()


def test_rows_are_read_on_in_seal_order(sealed, workspace_id):
    flat = [id_ for group in sealed for id_ in group]
    first = rows_after(workspace_id, limit=5)
    rest = rows_after(workspace_id, seal=2, leaf_index=0, limit=50)
    assert [row.event.id for row in first + rest] == flat
    assert (first[-1].seal, first[-1].leaf_index) == (2, 0)
    assert (rest[-1].seal, rest[-1].leaf_index) == (3, 3)

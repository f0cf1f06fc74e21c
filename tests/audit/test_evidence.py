"""Evidence packs: everything of a period in one archive, checked by a program of its own."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.audit.keys import signing_keys
from apps.audit.records import Target
from apps.audit.sealing import seal_pending
from apps.core import clock
from apps.core.models import uuid7
from apps.flows import commands as flows
from apps.operations import evidence, trail_jobs
from apps.operations.management.commands.trail_job import DOERS
from apps.operations.models import TrailJob
from tests.security.world import DOCUMENT
from tests.support import people
from tools import verify_audit

pytestmark = pytest.mark.django_db
VERIFIER = Path(verify_audit.__file__)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(evidence, "PATIENCE_S", 0)


@pytest.fixture
def acme(now):
    return people.make_workspace("acme")


@pytest.fixture
def workspace_id(acme):
    return acme.pk


@pytest.fixture
def auditor(acme):
    return people.actor(people.person(acme, "auditor"))


@pytest.fixture
def make(auditor, now, tmp_path):
    """Ask for a pack and make it; the job and the archive's path."""

    def pack(lists=tuple(evidence.LISTS), flow="", since=None, until=None):
        seal_pending(now=now)
        job = trail_jobs.ask_for(
            actor=auditor,
            kind="evidence",
            wanted={
                "from": (since or now - timedelta(days=1)).isoformat(),
                "to": (until or now + timedelta(days=1)).isoformat(),
                "flow": str(flow),
                "flow_name": "",
                "lists": list(lists),
            },
            now=clock.now(),
        )
        assert trail_jobs.work_on(job.pk, DOERS)
        job.refresh_from_db()
        path = tmp_path / f"{job.pk}.zip"
        path.write_bytes(b"".join(evidence.file_of(job)))
        return job, path

    return pack


def check(path, capsys, *more, fingerprint=None):
    key = fingerprint or signing_keys()[0].fingerprint
    status = verify_audit.main([str(path), "--fingerprint", key, *more])
    return status, capsys.readouterr().out


def table(path, name):
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))


def rewritten(path, tmp_path, change):
    """The archive with ``change(name, content)`` applied; None leaves a file out."""
    new = tmp_path / "changed.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                archive.writestr(name, content)
    return new


class TestPack:
    def test_holds_each_row_in_its_lists_and_verifies(self, make, write, capsys):
        write(1, verb="flow.publish")
        write(1, verb="task.decide")
        write(1, verb="run.test")
        write(1, verb="member.change")
        write(1, verb="access.denied")
        write(1, verb="event.publish")
        job, path = make()
        assert job.state == "done", job.error
        for name, verb in [
            ("changes", "flow.publish"),
            ("reviews", "task.decide"),
            ("tests", "run.test"),
            ("access", "member.change"),
            ("exceptions", "access.denied"),
        ]:
            assert verb in {row["verb"] for row in table(path, name)}, name
            assert job.result["lists"][name] == len(table(path, name))
        status, said = check(path, capsys)
        assert status == 0, said
        assert "The evidence pack verifies." in said

    def test_verifies_without_anything_but_python(self, make, write, tmp_path):
        """The program that is inside, alone in a folder, without `cryptography`."""
        write(3, verb="flow.publish")
        _, path = make()
        with zipfile.ZipFile(path) as archive:
            (tmp_path / "alone").mkdir()
            archive.extract("verify_audit.py", tmp_path / "alone")
        (tmp_path / "alone" / "cryptography.py").write_text("raise ImportError")
        done = subprocess.run(
            [
                *(sys.executable, "-S", "verify_audit.py", str(path)),
                *("--fingerprint", signing_keys()[0].fingerprint),
            ],
            cwd=tmp_path / "alone",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def test_shows_no_row_that_was_not_asked_for(self, make, write, capsys):
        write(2, verb="flow.publish", reason="shown-reason")
        write(2, verb="task.decide", reason="hidden-reason")
        write(2, verb="flow.publish", workspace_id=uuid7(), reason="strangers-reason")
        _, path = make(lists=["changes"])
        with zipfile.ZipFile(path) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist()).decode()
        assert "shown-reason" in text
        assert "hidden-reason" not in text
        assert "strangers-reason" not in text
        assert check(path, capsys)[0] == 0

    def test_keeps_to_the_period(self, make, write, now):
        write(1, verb="flow.edit", now=now - timedelta(hours=3))
        write(1, verb="flow.publish", now=now - timedelta(hours=1))
        _, path = make(lists=["changes"], since=now - timedelta(hours=2), until=now)
        assert [row["verb"] for row in table(path, "changes")] == ["flow.publish"]

    def test_of_nothing_says_so_and_verifies(self, make, capsys):
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        job, path = make(since=long_ago, until=long_ago + timedelta(days=1))
        assert job.result["seals"] == []
        with zipfile.ZipFile(path) as archive:
            assert "Nothing in the period." in archive.read("index.html").decode()
        assert check(path, capsys)[0] == 0

    def test_reads_in_the_language_of_whoever_asked(self, make, write, auditor, capsys):
        User.objects.filter(pk=auditor.user_id).update(language="de")
        write(1, verb="flow.publish")
        _, path = make(lists=["changes"])
        with zipfile.ZipFile(path) as archive:
            page = archive.read("index.html").decode()
            readme = archive.read("README.txt").decode()
        assert '<html lang="de">' in page
        assert "Was geändert wurde" in page
        assert "<td>Ablauf veröffentlicht<br><code>flow.publish</code></td>" in page
        told = {row["verb"]: row["action"] for row in table(path, "changes")}
        assert told["flow.publish"] == "Ablauf veröffentlicht"
        assert "Zum Prüfen" in readme
        assert "To check it" not in page + readme
        assert check(path, capsys)[0] == 0

    def test_about_a_flow_has_its_rows_its_versions_and_who_had_access(
        self, make, write, acme, capsys
    ):
        builder = people.actor(people.person(acme, "builder"))
        flow = flows.create_flow(actor=builder, name="Orders", now=clock.now())
        flows.save_draft(
            actor=builder, flow_id=flow.pk, document=DOCUMENT, if_match=1, now=clock.now()
        )
        people.person(acme, "approver")
        flows.publish_flow(actor=builder, flow_id=flow.pk, note="first", now=clock.now())
        write(1, verb="flow.publish")
        job, path = make(flow=flow.pk)
        assert {row["flow"] for row in table(path, "changes")} == {str(flow.pk)}
        assert "member.join" in {row["verb"] for row in table(path, "access")} or table(
            path, "access"
        )
        with zipfile.ZipFile(path) as archive:
            [name] = [one for one in archive.namelist() if one.startswith("versions/")]
            assert json.loads(archive.read(name))["note"] == "first"
            assert "approver@acme.test" in archive.read("access-now.csv").decode()
        assert job.result["versions"] == 1
        assert check(path, capsys)[0] == 0

    def test_markup_and_formulas_stay_text(self, make, write):
        write(1, verb="flow.publish", reason="=HYPERLINK(1)<script>alert(1)</script>")
        write(1, verb="flow.publish", reason="@SUM(1)", target=Target("x", "1", "-1+1"))
        _, path = make(lists=["changes"])
        rows = {row["reason"]: row for row in table(path, "changes")}
        assert "'=HYPERLINK(1)<script>alert(1)</script>" in rows
        assert rows["'@SUM(1)"]["target"] == "'-1+1"
        with zipfile.ZipFile(path) as archive:
            page = archive.read("index.html").decode()
        assert "<script>" not in page
        assert "&lt;script&gt;" in page

    def test_is_itself_in_the_trail(self, make, write, auditor):
        from apps.audit.queries import audit_rows, with_values

        job, _ = make(lists=["changes"])
        [row] = with_values(audit_rows(auditor.workspace_id, verb="export.read"))
        assert row.event.target_id == str(job.pk)
        assert row.group("details")["lists"] == ["changes"]


class TestAPackThatWasChanged:
    @pytest.fixture
    def packed(self, make, write):
        write(3, verb="flow.publish")
        return make()[1]

    @pytest.mark.parametrize(
        "name", ["changes.csv", "index.html", "access-now.csv", "trail.ndjson", "verify_audit.py"]
    )
    def test_in_a_file_is_refused(self, packed, tmp_path, capsys, name):
        path = rewritten(
            packed, tmp_path, lambda one, text: text.replace(b"e", b"E", 1) if one == name else text
        )
        status, said = check(path, capsys)
        assert status == 1
        assert name in said or "does NOT verify" in said

    def test_in_its_manifest_is_refused(self, packed, tmp_path, capsys):
        path = rewritten(
            packed,
            tmp_path,
            lambda name, text: (
                text.replace(b"auditor@", b"another@") if name == "manifest.json" else text
            ),
        )
        status, said = check(path, capsys)
        assert status == 1
        assert "manifest was changed" in said

    def test_by_a_file_taken_out_is_refused(self, packed, tmp_path, capsys):
        path = rewritten(
            packed, tmp_path, lambda name, text: None if name == "index.html" else text
        )
        status, said = check(path, capsys)
        assert status == 1
        assert "taken out" in said

    def test_by_a_file_put_in_is_refused(self, packed, tmp_path, capsys):
        with zipfile.ZipFile(packed, "a") as archive:
            archive.writestr("more.csv", "x")
        status, said = check(packed, capsys)
        assert status == 1
        assert "added to the pack" in said

    def test_in_a_row_of_a_list_with_everything_signed_again_by_us_is_refused(
        self, packed, tmp_path, capsys
    ):
        """Even the right key cannot make a list say what the trail does not."""
        from hashlib import sha256

        with zipfile.ZipFile(packed) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        files["changes.csv"] = files["changes.csv"].replace(b"flow.publish", b"flow.forgery")
        manifest = json.loads(files["manifest.json"])
        digest = sha256(files["changes.csv"]).hexdigest()
        manifest["files"]["changes.csv"]["sha256"] = digest
        files["manifest.json"] = json.dumps(manifest).encode()
        key = signing_keys()[0]
        signature = key.sign_evidence(sha256(files["manifest.json"]).digest())
        files["manifest.sig"] = signature.hex().encode()
        path = tmp_path / "forged.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        status, said = check(path, capsys)
        assert status == 1
        assert "is not the one in the trail" in said

    def test_by_somebody_with_another_key_is_refused(self, packed, capsys):
        status, said = check(packed, capsys, fingerprint="0" * 64)
        assert status == 1
        assert "which you do not trust" in said

    @pytest.mark.parametrize("missing", ["manifest.json", "manifest.sig", "trail.ndjson"])
    def test_that_is_no_pack_is_refused_without_a_crash(self, packed, tmp_path, capsys, missing):
        path = rewritten(packed, tmp_path, lambda name, text: None if name == missing else text)
        status, said = check(path, capsys)
        assert status == 1
        assert "does NOT verify" in said


class TestJob:
    def test_that_dies_is_done_by_another_and_after_three_tries_has_failed(self, auditor, now):
        job = trail_jobs.ask_for(actor=auditor, kind="check", wanted={}, now=now)

        def dies(_job):
            raise KeyboardInterrupt

        for tries in (1, 2, 3):
            with pytest.raises(KeyboardInterrupt):
                trail_jobs.work_on(job.pk, {"check": dies})
            job.refresh_from_db()
            assert (job.state, job.tries) == ("running", tries)
            assert not trail_jobs.work_on(job.pk, {"check": dies}), "its lease stands"
            TrailJob.objects.filter(pk=job.pk).update(leased_until="2020-01-01T00:00:00Z")
            assert trail_jobs.due_jobs(now=now) == [job.pk]
        assert trail_jobs.work_on(job.pk, {"check": dies})
        job.refresh_from_db()
        assert job.state == "failed"
        assert "three times" in job.error
        assert trail_jobs.due_jobs(now=now) == []

    def test_is_taken_before_its_process_is_there_and_started_once(self, auditor, now, monkeypatch):
        """However slowly processes start: whoever comes meanwhile finds it taken."""
        job = trail_jobs.ask_for(actor=auditor, kind="check", wanted={}, now=now)
        started = []

        def slow_to_start(command, **_):
            started.append(command)
            assert not trail_jobs.work_outside(job.pk), "a second worker"
            assert trail_jobs.due_jobs(now=clock.now()) == []
            assert not trail_jobs.work_on(job.pk, DOERS, taken=7), "a try that is not this one"
            assert trail_jobs.work_on(job.pk, DOERS, taken=int(command[-1]))

        monkeypatch.setattr("apps.operations.trail_jobs.subprocess.run", slow_to_start)
        assert trail_jobs.work_outside(job.pk)
        assert len(started) == 1
        job.refresh_from_db()
        assert (job.state, job.tries) == ("done", 1)

    def test_that_fails_says_why(self, make, auditor):
        job, _ = make(flow=uuid7())
        assert (job.state, job.result) == ("failed", None)
        assert job.error == "The flow that the pack is about is not there any more."

    def test_no_more_than_three_are_under_way(self, auditor, now):
        for _ in range(3):
            trail_jobs.ask_for(actor=auditor, kind="check", wanted={}, now=now)
        with pytest.raises(trail_jobs.TooManyOpen):
            trail_jobs.ask_for(actor=auditor, kind="check", wanted={}, now=now)

    def test_is_forgotten_after_a_month_its_row_is_not(self, make, now):
        job, _ = make()
        assert trail_jobs.forget_jobs(now=now + timedelta(days=29)) == 0
        assert trail_jobs.forget_jobs(now=now + timedelta(days=32)) == 1
        assert not TrailJob.objects.filter(pk=job.pk).exists()


class TestAsking:
    def test_takes_whole_days_and_gives_the_file_away_noted(self, acme, write, monkeypatch):
        browser = people.browser(people.person(acme, "auditor", email="b@acme.test"))
        wanted = {"from": "2026-11-01", "to": "2026-11-30", "lists": ["access", "changes"]}
        made = people.send(browser, "POST", "/api/v1/audit/evidence/", wanted).json()
        assert made["wanted"]["since"] == "2026-11-01T00:00:00Z"
        assert made["wanted"]["until"] == "2026-12-01T00:00:00Z"
        assert made["wanted"]["lists"] == ["changes", "access"]
        file = f"/api/v1/audit/evidence/{made['id']}/file/"
        assert browser.get(file).status_code == 409
        trail_jobs.work_on(made["id"], DOERS)
        answer: Any = browser.get(file)
        assert answer["Content-Type"] == "application/zip"
        content = b"".join(answer.streaming_content)
        assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None

    @pytest.mark.parametrize(
        "wanted",
        [
            {},
            {"from": "2026-11-02", "to": "2026-11-01", "lists": ["changes"]},
            {"from": "2020-01-01", "to": "2026-11-01", "lists": ["changes"]},
            {"from": "2026-11-01", "to": "2026-11-02", "lists": []},
            {"from": "2026-11-01", "to": "2026-11-02", "lists": ["everything"]},
            {"from": "yesterday", "to": "2026-11-02", "lists": ["changes"]},
            {"from": "2026-11-01", "to": "2026-11-02", "lists": ["changes"], "flow": "x"},
        ],
    )
    def test_refuses_what_makes_no_pack(self, acme, wanted):
        browser = people.browser(people.person(acme, "auditor", email="b@acme.test"))
        assert people.send(browser, "POST", "/api/v1/audit/evidence/", wanted).status_code == 422
        assert not TrailJob.objects.exists()

    def test_about_another_workspaces_flow_is_not_found(self, acme):
        other = people.make_workspace("other")
        builder = people.actor(people.person(other, "builder"))
        flow = flows.create_flow(actor=builder, name="Theirs", now=clock.now())
        browser = people.browser(people.person(acme, "auditor", email="b@acme.test"))
        wanted = {
            "from": "2026-11-01",
            "to": "2026-11-02",
            "lists": ["changes"],
            "flow": str(flow.pk),
        }
        assert people.send(browser, "POST", "/api/v1/audit/evidence/", wanted).status_code == 404

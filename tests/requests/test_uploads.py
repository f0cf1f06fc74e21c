"""Files: taken for a form, sent once, read through a rights check, checked by a scanner, forgotten."""

import io
import socket
import struct
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from apps.audit.models import AuditEvent
from apps.core import clock, outbox
from apps.inbox.models import UserTask
from apps.requests import scanning, storage, uploads
from apps.requests.models import File, FileState, Request
from apps.runs.drive import drive_all
from apps.runs.models import Run
from config.stack import backup
from tests.requests.support import Counter, Visitor, asking
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
FILES = {
    "type": "array",
    "title": "Offers",
    "x-widget": "files",
    "x-accept": ["pdf", "image"],
    "maxItems": 2,
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "name": {"type": "string"},
            "type": {"type": "string"},
            "size": {"type": "integer"},
            "sha256": {"type": "string"},
        },
        "required": ["id", "name", "type", "size", "sha256"],
        "additionalProperties": False,
    },
}
FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"what": {"type": "string"}, "offers": FILES},
    "required": ["what"],
}


@pytest.fixture
def counter(transactional_db, settings, tmp_path):
    settings.HOME = tmp_path
    settings.SCANNER = ""
    doc = asking(FORM)
    doc["steps"]["ask"]["config"]["fields"] = [
        {"label": "Offers", "value": '= get or else(trigger.body.offers, "none")'}
    ]
    found = Counter()
    found.publish(doc, found.flow)
    return found


class Sender(Visitor):
    """Somebody who attaches files."""

    def upload(self, content=PDF, name="offer.pdf", field="offers", **more):
        self.client.cookies["csrftoken"] = "a" * 32
        body = {
            "form": str(self.flow.pk),
            "field": field,
            "file": SimpleUploadedFile(name, content),
            **more,
        }
        return self.client.post("/api/v1/files/", body, headers={"X-CSRFToken": "a" * 32})

    def read(self, file_id):
        return self.client.get(f"/api/v1/files/{file_id}/")

    def discard(self, file_id):
        return people.send(self.client, "DELETE", f"/api/v1/files/{file_id}/")


@pytest.fixture
def ada(counter):
    return Sender(counter, counter.ada)


@pytest.fixture
def boss(counter):
    return Sender(counter, counter.boss)


def kept():
    root = Path(settings.HOME) / "files"
    return sorted(one.name for one in root.rglob("*") if one.is_file())


class TestUploading:
    def test_keeps_the_content_once_by_its_hash(self, ada, boss):
        first, second = ada.upload().json(), boss.upload(name="other.pdf").json()
        assert first["sha256"] == second["sha256"] == storage.sha256_of(PDF)
        assert kept() == [first["sha256"]]
        assert (first["name"], first["type"], first["size"]) == (
            "offer.pdf", "application/pdf", len(PDF),
        )  # fmt: skip

    def test_names_the_hash_of_what_is_kept(self, ada):
        out = io.BytesIO()
        Image.new("RGB", (4, 4)).save(out, "PNG")
        sent = out.getvalue() + b"hidden"
        answer = ada.upload(sent, "a.png").json()
        assert answer["sha256"] == storage.sha256_of(ada.read(answer["id"]).content)
        assert answer["sha256"] != storage.sha256_of(sent)

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"MZ" + b"\0" * 100, "offer.pdf"),
            (b"<svg onload='x()'/>", "a.png"),
            (b"<html>", "a.pdf"),
            (b"", "empty.pdf"),
            (b"a;b\n1;2\n", "list.csv"),
        ],
        ids=["renamed", "svg", "html", "empty", "kind-not-asked-for"],
    )
    def test_refuses_what_the_field_does_not_take(self, ada, content, name):
        refused = ada.upload(content, name)
        assert refused.status_code == 422, refused.content
        assert kept() == []
        assert not File.objects.exists()

    def test_refuses_what_is_too_large(self, counter, ada):
        small = {**FORM, "properties": {**FORM["properties"], "offers": {**FILES, "x-max-mb": 1}}}
        counter.publish(asking(small), counter.flow)
        refused = ada.upload(PDF + b" " * (1024 * 1024) + b"%%EOF")
        assert (refused.status_code, refused.json()["code"]) == (413, "file_too_large")
        assert ada.upload(b"x" * (uploads.most_bytes() + 1)).status_code == 413

    def test_refuses_another_field_form_and_person(self, counter, ada):
        assert ada.upload(field="what").status_code == 404
        assert ada.upload(field="nothing").status_code == 404
        other = people.make_workspace("other")
        stranger = Sender(counter, people.person(other, *people.ROLES, email="x@other.test"))
        assert stranger.upload().status_code == 404
        assert Sender(counter, counter.someone("rita", "auditor")).upload().status_code == 403

    def test_takes_no_path_from_the_name(self, ada, tmp_path):
        answer = ada.upload(name="../../../evil.pdf").json()
        assert answer["name"] == "evil.pdf"
        assert kept() == [answer["sha256"]]
        assert not list(tmp_path.glob("*.pdf"))

    def test_stops_who_uploads_without_end(self, ada, monkeypatch):
        monkeypatch.setattr(uploads, "MOST_UNSENT", 2)
        assert [ada.upload().status_code for _ in range(3)] == [201, 201, 409]

    def test_is_in_the_trail(self, ada):
        ada.upload()
        assert AuditEvent.objects.get(verb="file.upload").actor_id == str(ada.user.pk)


class TestSending:
    def test_pins_name_kind_and_hash_into_what_people_see(self, ada, boss):
        file = ada.upload().json()
        sent = ada.send({"what": "A desk", "offers": [{"id": file["id"]}]})
        assert sent.status_code == 201, sent.content
        task = UserTask.objects.get()
        assert task.facts == [{"label": "Offers", "value": [file]}]
        run = Run.objects.get()
        assert File.objects.get().run_id == run.pk
        before = task.seen
        task.facts = [{"label": "Offers", "value": [{**file, "sha256": "0" * 64}]}]
        from apps.inbox.opening import seen_hash

        assert seen_hash(task) != before

    @pytest.mark.parametrize("case", ["foreign", "sent", "gone", "twice", "other form", "no id"])
    def test_takes_only_files_of_ones_own_for_this_form_once(self, counter, ada, boss, case):
        file = ada.upload().json()["id"]
        sender, given = ada, [{"id": file}]
        if case == "foreign":
            sender = boss
        elif case == "sent":
            assert ada.send({"what": "x", "offers": given}).status_code == 201
        elif case == "gone":
            assert ada.discard(file).status_code == 204
        elif case == "twice":
            given = [{"id": file}, {"id": file}]
        elif case == "other form":
            File.objects.update(flow=counter.publish(asking(FORM)))
        else:
            given = [{"name": "offer.pdf"}]
        count = Run.objects.count()
        refused = sender.send({"what": "x", "offers": given})
        assert refused.status_code == 422, refused.content
        assert refused.json()["errors"][0]["path"].startswith("offers.")
        assert Run.objects.count() == count

    def test_refuses_too_many(self, ada):
        given = [{"id": ada.upload().json()["id"]} for _ in range(3)]
        refused = ada.send({"what": "x", "offers": given})
        assert refused.json()["errors"] == [
            {"path": "offers", "message": "It must have 2 items at most."}
        ]

    def test_what_is_made_up_beside_the_id_does_not_count(self, ada):
        file = ada.upload().json()
        lie = {**file, "name": "harmless.txt", "sha256": "0" * 64}
        ada.send({"what": "x", "offers": [lie]})
        assert UserTask.objects.get().facts[0]["value"] == [file]

    def test_by_hand_no_files_are_taken(self, counter, ada):
        file = ada.upload().json()
        builder = people.browser(counter.someone("bob", "builder"))
        path = f"/api/v1/flows/{counter.flow.pk}/runs/"
        refused = people.send(builder, "POST", path, {"input": {"what": "x", "offers": [file]}})
        assert refused.status_code == 422


class TestReading:
    def test_is_never_shown_in_place(self, ada):
        answer = ada.read(ada.upload(name='a"b;c.pdf').json()["id"])
        assert answer.status_code == 200
        assert answer.content == PDF
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert "no-store" in answer["Cache-Control"]

    def test_before_it_is_sent_by_nobody_else(self, counter, ada, boss):
        file = ada.upload().json()["id"]
        builder = Sender(counter, counter.someone("bob", "builder"))
        assert [one.read(file).status_code for one in (ada, boss, builder)] == [200, 404, 404]

    def test_then_by_those_it_is_shown_to_and_who_sees_the_runs(self, counter, ada, boss):
        file = ada.upload().json()["id"]
        ada.send({"what": "x", "offers": [{"id": file}]})
        later = Sender(counter, counter.someone("later", "approver"))
        builder = Sender(counter, counter.someone("bob", "builder"))
        auditor = Sender(counter, counter.someone("rita", "auditor"))
        other = people.make_workspace("other")
        stranger = Sender(counter, people.person(other, *people.ROLES, email="x@other.test"))
        seen = [one.read(file).status_code for one in (ada, boss, builder, auditor)]
        assert seen == [200, 200, 200, 200]
        assert [one.read(file).status_code for one in (later, stranger)] == [404, 404]
        assert AuditEvent.objects.filter(verb="file.read").count() == 4

    def test_a_file_that_the_task_does_not_show_is_not_for_who_decides(self, counter, ada, boss):
        doc = asking(FORM)
        counter.publish(doc, counter.flow)
        file = ada.upload().json()["id"]
        ada.send({"what": "x", "offers": [{"id": file}]})
        assert boss.read(file).status_code == 404

    def test_once_sent_it_cannot_be_thrown_away(self, ada):
        file = ada.upload().json()["id"]
        ada.send({"what": "x", "offers": [{"id": file}]})
        assert ada.discard(file).status_code == 404
        assert ada.read(file).status_code == 200


class TestForgetting:
    def test_what_was_never_sent_goes_after_a_while_with_its_content(self, ada):
        ada.upload()
        now = clock.now()
        assert uploads.forget_files(now=now) == 0
        assert uploads.forget_files(now=now + timedelta(days=32)) == 1
        assert kept() == []

    def test_what_was_sent_stays(self, ada):
        file = ada.upload().json()["id"]
        ada.send({"what": "x", "offers": [{"id": file}]})
        assert uploads.forget_files(now=clock.now() + timedelta(days=400)) == 0

    def test_content_stays_as_long_as_anybody_has_it(self, ada, boss):
        mine = ada.upload().json()["id"]
        boss.upload()
        ada.discard(mine)
        assert len(kept()) == 1

    def test_a_draft_that_is_thrown_away_takes_its_files_along(self, ada):
        ada.upload()
        path = f"/api/v1/request-forms/{ada.flow.pk}/draft/"
        assert people.send(ada.client, "DELETE", path).status_code == 204
        assert kept() == []

    def test_what_is_not_attached_goes_when_the_request_is_sent(self, ada):
        ada.upload()
        ada.send({"what": "x"})
        assert not File.objects.exists()
        assert kept() == []


class TestScanning:
    def relayed(self):
        outbox.relay()
        return File.objects.get()

    def test_nobody_reads_what_is_not_found_clean(self, ada, settings):
        settings.SCANNER = "true"
        file = ada.upload().json()["id"]
        held = ada.read(file)
        assert (held.status_code, held.json()["code"]) == (409, "file_not_readable")
        assert self.relayed().state == FileState.CLEAN
        assert ada.read(file).status_code == 200

    def test_what_is_harmful_stays_held_back(self, ada, settings):
        settings.SCANNER = "sh -c 'echo Eicar; exit 1'"
        file = ada.upload().json()["id"]
        ada.send({"what": "x", "offers": [{"id": file}]})
        found = self.relayed()
        assert (found.state, found.verdict) == (FileState.REFUSED, "Eicar")
        refused = ada.read(file)
        assert refused.status_code == 409
        assert "harmful" in refused.json()["detail"]
        assert AuditEvent.objects.filter(verb="file.quarantine").count() == 1

    def test_without_a_verdict_it_is_asked_again(self, ada, settings):
        settings.SCANNER = "sh -c 'exit 2'"
        ada.upload()
        assert self.relayed().state == FileState.WAITING
        settings.SCANNER = "no-such-program-at-all"
        with pytest.raises(scanning.ScannerFailed):
            uploads.check_file({"file": File.objects.get().pk})

    @pytest.mark.parametrize(
        ("answer", "is_clean"), [(b"stream: OK\0", True), (b"stream: Eicar FOUND\0", False)]
    )
    def test_clamd_is_asked_over_tcp(self, settings, answer, is_clean):
        heard = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            settings.SCANNER = f"tcp://127.0.0.1:{server.getsockname()[1]}"

            def serve():
                there, _ = server.accept()
                with there, there.makefile("rb") as stream:
                    heard.append(stream.read(10))
                    while size := struct.unpack("!L", stream.read(4))[0]:
                        heard.append(stream.read(size))
                    there.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            verdict = scanning.scan(b"x" * 100_000)
            thread.join()
        assert verdict.is_clean is is_clean
        assert heard[0] == b"zINSTREAM\0"
        assert b"".join(heard[1:]) == b"x" * 100_000

    def test_a_clamd_that_is_away_is_no_verdict(self, settings):
        settings.SCANNER = "tcp://127.0.0.1:1"
        with pytest.raises(scanning.ScannerFailed):
            scanning.scan(b"x")


def test_files_are_a_part_of_a_backup_and_of_what_is_left_when_one_goes_meanwhile(tmp_path):
    assert "files" not in backup._LEFT_OUT
    backup._copy_what_stays(str(tmp_path / "gone"), str(tmp_path / "copy"))
    (tmp_path / "there").write_bytes(b"x")
    backup._copy_what_stays(str(tmp_path / "there"), str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == b"x"


def test_a_request_tells_of_its_files(counter, ada):
    file = ada.upload().json()
    sent = ada.send({"what": "x", "offers": [{"id": file["id"]}]}).json()
    drive_all()
    shown = ada.one(sent["id"]).json()
    assert Request.objects.count() == 1
    assert [one["value"] for one in shown["answers"] if one["kind"] == "files"] == [[file]]

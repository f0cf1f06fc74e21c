"""A bundle verifies offline, and a bundle that somebody touched does not."""

import base64
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from apps.audit.bundle import bundle_of_period, proof_of_row
from apps.audit.commands import erase_values
from apps.audit.keys import signing_keys
from apps.audit.models import AuditEvent
from apps.audit.sealing import drop_months_before, seal_pending
from apps.core.errors import Conflict, NotFound
from apps.core.models import uuid7
from tools import verify_audit

pytestmark = pytest.mark.django_db
TOOL = Path(verify_audit.__file__)


@pytest.fixture
def bundle(workspace_id, now, tmp_path):
    """Make a bundle; returns its file."""

    def make(*, since=None, until=None, withhold=(), workspace=workspace_id):
        lines = bundle_of_period(
            workspace,
            since=since,
            until=until,
            withhold=withhold,
            made_by="auditor@demo.local",
            now=now + timedelta(days=1),
        )
        file = tmp_path / "bundle.ndjson"
        file.write_bytes(b"".join(lines))
        return file

    return make


@pytest.fixture
def verify(capsys):
    """Run the stand-alone verifier; returns its exit status and what it said."""

    def run(file, *, fingerprint=None, checkpoints=None):
        arguments = [str(file), "--fingerprint", fingerprint or signing_keys()[0].fingerprint]
        if checkpoints:
            arguments += ["--checkpoints", str(checkpoints)]
        status = verify_audit.main(arguments)
        return status, capsys.readouterr().out

    return run


def read(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def resign(lines, file, key=None):
    """Write the lines back with a right end, as somebody with that key could."""
    key = key or signing_keys()[0]
    *body, end = lines
    text = b"".join(json.dumps(line).encode() + b"\n" for line in body)
    digest = verify_audit.sha256(text)
    end["end"] |= {
        "rows": sum("row" in line for line in body),
        "seals": sum("seal" in line for line in body),
        "sha256": digest.hex(),
        "signature": key.sign_bundle(digest).hex(),
        "key": key.public.hex(),
    }
    file.write_bytes(text + json.dumps(end).encode() + b"\n")


class TestWhole:
    def test_verifies_in_a_process_that_knows_nothing_of_us(
        self, sealed, bundle, checkpoints, tmp_path
    ):
        fingerprint = signing_keys()[0].fingerprint
        done = subprocess.run(
            [
                sys.executable,
                "-I",
                TOOL,
                bundle(),
                "--fingerprint",
                fingerprint,
                "--checkpoints",
                checkpoints,
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={},
            check=False,
        )
        assert done.stderr == ""
        assert done.returncode == 0
        assert "Seals 1 to 3; 12 rows" in done.stdout
        assert "60 values shown and checked, 0 withheld" in done.stdout
        assert "3 seals compared" in done.stdout
        assert done.stdout.endswith("The bundle verifies.\n")

    def test_needs_nothing_but_python(self):
        imports = {
            line.split()[1].partition(".")[0]
            for line in TOOL.read_text().splitlines()
            if line.startswith(("import ", "from "))
        }
        assert imports <= {
            "argparse",
            "hashlib",
            "json",
            "re",
            "sys",
            "typing",
            "collections",
            "pathlib",
            "csv",
            "io",
            "zipfile",
        }

    def test_goes_by_whole_seals_of_the_period(self, sealed, bundle, verify, now):
        file = bundle(since=now + timedelta(seconds=5), until=now + timedelta(seconds=7))
        lines = read(file)
        assert lines[0]["bundle"]["seals"] == [2, 2]
        assert [line["row"]["id"] for line in lines if "row" in line] == [
            str(row) for row in sealed[1]
        ]
        assert verify(file)[0] == 0

    def test_without_rows_verifies(self, sealed, bundle, verify, now):
        status, text = verify(bundle(since=now + timedelta(days=5)))
        assert status == 0
        assert "0 values shown" in text

    def test_holds_rows_of_others_only_as_hashes(self, sealed, write, bundle, verify, now):
        other = uuid7()
        write(1)
        write(3, workspace_id=other, reason="not for you")
        write(1)
        seal_pending(now=now)
        write(2, workspace_id=other)
        seal_pending(now=now)
        write(1)
        seal_pending(now=now)

        file = bundle()
        assert "not for you" not in file.read_text()
        assert str(other) not in file.read_text()
        status, text = verify(file)
        assert status == 0
        assert "Seals 1 to 6; 15 rows" in text
        assert "5 rows of others" in text

        status, text = verify(bundle(workspace=other))
        assert status == 0
        assert "Seals 4 to 5; 5 rows" in text

    def test_of_many_seals_comes_in_pieces(self, write, bundle, verify, now, monkeypatch):
        monkeypatch.setattr("apps.audit.bundle._SEALS_AT_ONCE", 3)
        monkeypatch.setattr("apps.audit.bundle._ROWS_AT_ONCE", 4)
        write(30)
        seal_pending(now=now, limit=2)
        status, text = verify(bundle())
        assert status == 0
        assert "Seals 1 to 15; 30 rows" in text

    def test_survives_a_change_of_the_key(self, sealed, write_seal, settings, bundle, verify):
        old = signing_keys()[0].fingerprint
        settings.SIGNING_KEY = f"{base64.b64encode(os.urandom(32)).decode()},{settings.SIGNING_KEY}"
        write_seal()
        file = bundle()
        assert verify(file, fingerprint=old)[0] == 0
        status, text = verify(file, fingerprint=signing_keys()[0].fingerprint)
        assert status == 1, "the new key does not vouch for what came before it"
        assert "which you do not trust" in text


class TestWithheld:
    def test_values_still_verify(self, sealed, bundle, verify):
        file = bundle(withhold=["actor.label", "before."])
        text = file.read_text()
        assert "Lovelace" not in text
        status, said = verify(file)
        assert status == 0
        assert "36 values shown and checked, 24 withheld or erased" in said
        assert "withheld: actor.label: 12" in said
        assert "withheld: before: 12" in said

    def test_erased_ones_too(self, sealed, bundle, verify, ada, workspace_id, now):
        erase_values(
            who=ada,
            workspace_id=workspace_id,
            event_ids=sealed[0],
            fields=["reason"],
            reason="",
            now=now,
        )
        seal_pending(now=now)
        status, said = verify(bundle())
        assert status == 0
        assert "withheld: reason: 4" in said

    def test_dropped_rows_too(self, write, bundle, verify, now, ada):
        write(3)
        later = now.replace(day=1) + timedelta(days=62)
        seal_pending(now=now)
        write(2, now=later)
        seal_pending(now=later)
        drop_months_before(who=ada, before=later, reason="kept long enough", now=later)
        seal_pending(now=later)
        status, said = verify(bundle())
        assert status == 0
        assert "2 rows" in said


class TestTampered:
    @pytest.fixture
    def lines(self, sealed, bundle):
        self.file = bundle()
        return read(self.file)

    @pytest.mark.parametrize("is_signed_again", [False, True])
    @pytest.mark.parametrize(
        "name, value",
        [
            ("verb", "flow.edit"),
            ("at", "2020-01-01T00:00:00.000000Z"),
            ("actor", {"id": "x", "kind": "person"}),
            ("workspace", "x"),
        ],
    )
    def test_row_is_refused(self, lines, verify, name, value, is_signed_again):
        row = next(line for line in lines if "row" in line)
        row["row"][name] = value
        self.put(lines, is_signed_again)
        status, said = verify(self.file)
        assert status == 1
        assert "The rows of seal 1 are not the 4" in said

    @pytest.mark.parametrize("place", [0, 1])
    def test_value_is_refused(self, lines, verify, place):
        row = next(line for line in lines if "row" in line)
        row["values"]["reason"][place] = ["00", '"another"'][place]
        self.put(lines, True)
        status, said = verify(self.file)
        assert status == 1
        assert f"The value 'reason' of row {row['row']['id']} was changed" in said

    def test_value_under_another_name_is_refused(self, lines, verify):
        row = next(line for line in lines if "row" in line)
        row["values"]["after.number"] = row["values"]["before.number"]
        self.put(lines, True)
        assert verify(self.file)[0] == 1

    @pytest.mark.parametrize("is_signed_again", [False, True])
    def test_row_left_out_is_refused(self, lines, verify, is_signed_again):
        del lines[2]
        self.put(lines, is_signed_again)
        assert verify(self.file)[0] == 1

    def test_row_turned_into_a_hash_is_refused(self, lines, verify):
        """The tree cannot tell; the signature over the file does."""
        lines[2] = {"hashes": [verify_audit.leaf_hash(lines[2]["row"]).hex()]}
        lines[-1]["end"]["rows"] -= 1
        self.put(lines, False)
        status, said = verify(self.file)
        assert status == 1
        assert "changed after it was made" in said

    def test_all_rows_of_a_seal_left_out_are_refused(self, lines, verify):
        del lines[2:6]
        lines[-1]["end"]["rows"] -= 4
        self.put(lines, False)
        assert verify(self.file)[0] == 1

    @pytest.mark.parametrize("is_signed_again", [False, True])
    def test_order_is_refused(self, lines, verify, is_signed_again):
        lines[2], lines[3] = lines[3], lines[2]
        self.put(lines, is_signed_again)
        assert verify(self.file)[0] == 1

    def test_seal_left_out_with_its_rows_is_refused(self, lines, verify):
        at = [place for place, line in enumerate(lines) if "seal" in line]
        del lines[at[1] : at[2]]
        self.put(lines, True)
        status, said = verify(self.file)
        assert status == 1
        assert "After seal 1 comes seal 3" in said

    @pytest.mark.parametrize(
        "name, value",
        [
            ("count", 3),
            ("root", "00" * 32),
            ("previous", "00" * 32),
            ("at", "2020-01-01T00:00:00.000000Z"),
            ("kind", "key"),
        ],
    )
    def test_seal_is_refused(self, lines, verify, name, value):
        seal = [line for line in lines if "seal" in line][1]
        seal["seal"][name] = value
        self.put(lines, True)
        status, said = verify(self.file)
        assert status == 1
        assert "Seal 2 does not bear the signature" in said

    def test_end_cut_off_is_refused(self, lines, verify):
        text = self.file.read_bytes().splitlines(keepends=True)
        for kept in range(len(text)):
            self.file.write_bytes(b"".join(text[:kept]))
            assert verify(self.file)[0] == 1

    @pytest.mark.parametrize(
        "line",
        [
            b"\n",
            b"nonsense\n",
            b"[]\n",
            b"{}\n",
            b'{"what": 1}\n',
            b'{"seal": {}}\n',
            b'{"row": 1, "values": {}}\n',
            b'{"hashes": ["0"]}\n',
            b'{"hashes": ["00"]}\n',
            b'{"seal": {"number": 1, "number": 2}, "signature": ""}\n',
            b"\xff\n",
            b'{"bundle": {}}\n',
        ],
    )
    def test_with_a_strange_line_is_refused_without_a_crash(self, lines, verify, line):
        whole = self.file.read_bytes().splitlines(keepends=True)
        for place in (0, 1, 3, len(whole) - 1, len(whole)):
            self.file.write_bytes(b"".join([*whole[:place], line, *whole[place + 1 :]]))
            status, said = verify(self.file)
            assert status == 1
            assert "NOT verify" in said

    def test_by_somebody_with_a_key_of_their_own_is_refused(self, lines, verify, settings):
        """Everything agrees within the bundle; only the fingerprint tells."""
        ours = signing_keys()[0].fingerprint
        settings.SIGNING_KEY = base64.b64encode(os.urandom(32)).decode()
        theirs = signing_keys()[0]
        previous = bytes(32)
        leaves: list[bytes] = []
        seal = None
        for line in lines:
            if "seal" in line:
                line["seal"] |= {"key": theirs.public.hex(), "previous": previous.hex()}
                previous = verify_audit.seal_hash(line["seal"])
                line["signature"] = theirs.sign(previous).hex()
        resign(lines, self.file, theirs)
        assert seal is None
        assert leaves == []
        assert verify(self.file, fingerprint=theirs.fingerprint)[0] == 0
        status, said = verify(self.file, fingerprint=ours)
        assert status == 1
        assert f"signed by the key {theirs.fingerprint}, which you do not trust" in said

    def test_that_is_not_the_sealed_truth_is_refused_by_the_file(self, lines, verify, checkpoints):
        first, *rest = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text(
            "".join([first, rest[0].replace(rest[0].split()[2], "00" * 32), *rest[1:]])
        )
        status, said = verify(self.file, checkpoints=checkpoints)
        assert status == 1
        assert "Seal 2 is not the one in the checkpoint file" in said

    def test_that_the_file_skips_is_refused(self, lines, verify, checkpoints):
        first, _, third = checkpoints.read_text().splitlines(keepends=True)
        checkpoints.write_text(first + third)
        assert verify(self.file, checkpoints=checkpoints)[0] == 1

    def test_newer_than_the_file_is_told(self, lines, verify, checkpoints):
        checkpoints.write_text(checkpoints.read_text().splitlines(keepends=True)[0])
        status, said = verify(self.file, checkpoints=checkpoints)
        assert status == 0
        assert "1 seals compared with the checkpoint file, 2 not" in said

    def put(self, lines, is_signed_again):
        if is_signed_again:
            resign(lines, self.file)
        else:
            self.file.write_text(
                "".join(
                    json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"
                    for line in lines
                )
            )


class TestArguments:
    def test_a_fingerprint_is_required(self, tmp_path):
        with pytest.raises(SystemExit):
            verify_audit.main([str(tmp_path / "bundle")])

    def test_a_fingerprint_is_64_hex_digits(self, tmp_path):
        with pytest.raises(SystemExit):
            verify_audit.main([str(tmp_path / "bundle"), "--fingerprint", "ab"])

    def test_a_missing_file_is_told(self, tmp_path, verify):
        status, said = verify(tmp_path / "nowhere")
        assert status == 1
        assert "NOT verify" in said

    def test_a_checkpoint_file_that_is_none_is_told(self, sealed, bundle, verify, tmp_path):
        (tmp_path / "file").write_text("hello\n")
        assert verify(bundle(), checkpoints=tmp_path / "file")[0] == 1


class TestProofOfOneRow:
    def prove(self, workspace_id, row, now, tmp_path, withhold=()):
        lines = proof_of_row(workspace_id, row, withhold=withhold, made_by="auditor", now=now)
        file = tmp_path / "proof.ndjson"
        file.write_bytes(b"".join(lines))
        return file

    def test_shows_no_other_row_and_verifies(self, sealed, workspace_id, now, tmp_path, verify):
        for row in sealed[1]:
            file = self.prove(workspace_id, row, now, tmp_path, withhold=["reason"])
            others = [other for other in sealed[1] if other != row]
            assert not any(str(other) in file.read_text() for other in others)
            status, said = verify(file)
            assert status == 0
            assert "Seals 2 to 2; 1 rows" in said

    @pytest.mark.parametrize(
        "change",
        [{"index": 3}, {"path": []}, {"path": ["00" * 32] * 2}, {"index": -1}, {"index": 9}],
    )
    def test_with_another_place_is_refused(
        self, sealed, workspace_id, now, tmp_path, verify, change
    ):
        file = self.prove(workspace_id, sealed[1][1], now, tmp_path)
        lines = read(file)
        lines[2] |= change
        resign(lines, file)
        status, said = verify(file)
        assert status == 1
        assert "is not in seal 2" in said

    def test_of_a_changed_row_is_refused(self, sealed, workspace_id, now, tmp_path, verify):
        file = self.prove(workspace_id, sealed[1][1], now, tmp_path)
        lines = read(file)
        lines[2]["row"]["verb"] = "flow.edit"
        resign(lines, file)
        assert verify(file)[0] == 1

    def test_is_not_given_for_a_row_that_is_not_sealed(self, write, workspace_id, now):
        with pytest.raises(Conflict, match="not sealed yet"):
            proof_of_row(workspace_id, write()[0], withhold=[], made_by="", now=now)

    def test_is_not_given_for_another_workspaces_row(self, sealed, now):
        with pytest.raises(NotFound):
            proof_of_row(uuid7(), sealed[0][0], withhold=[], made_by="", now=now)
        assert AuditEvent.objects.count() == 12

#!/usr/bin/env python3
"""Check a bundle of the trail, a proof, an evidence pack or a decision's evidence, offline.

    python verify_audit.py FILE --fingerprint HEX [--checkpoints FILE]

Needs Python 3.11+ and nothing else: no network, no Signalbox. Signatures are Ed25519 (RFC 8032);
where the package `cryptography` is at hand it checks them, which is quicker, else this program
does so itself.

The fingerprint names the key that signed the trail. Get it from the administrator by another way
than the file: the keys that the file names are believed only where their fingerprint is one
you gave, or where a key that you trust handed over to them. The exit status is 0 only if all is
well.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

BUNDLE_FORMAT = "signalbox.audit.bundle/1"
ROW_FORMAT = "signalbox.audit/1"
SEAL_FORMAT = "signalbox.audit.seal/1"
EVIDENCE_FORMAT = "signalbox.evidence/1"
DECISION_FORMAT = "signalbox.decision/1"
ROW_NAMES = {
    "actor", "at", "commitments", "correlation_id", "flow", "format",
    "id", "on_behalf_of", "target", "verb", "workspace",
}  # fmt: skip
SEAL_NAMES = {"at", "count", "extra", "format", "key", "kind", "number", "previous", "root"}


class Broken(Exception):
    """The bundle is not what it claims; checking it further makes no sense."""


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def canonical(value: Any) -> bytes:
    """RFC 8785 for objects of texts, whole numbers and objects, which is all the format has."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def leaf_hash(row: dict[str, Any]) -> bytes:
    """RFC 6962: the hash of a leaf."""
    return sha256(b"\x00" + canonical(row))


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962: the hash of a node."""
    return sha256(b"\x01" + left + right)


def commitment(name: str, salt: str, text: str) -> str:
    """What stands in a row for a value."""
    return sha256(b"\x02" + bytes.fromhex(salt) + name.encode() + b"\x00" + text.encode()).hex()


def seal_hash(statement: dict[str, Any]) -> bytes:
    """What the next seal names, and the signature covers."""
    return sha256(b"\x03" + canonical(statement))


def is_signed(public: bytes, signature: bytes, purpose: str, digest: bytes) -> bool:
    """Whether that key signed that digest for that purpose."""
    message = purpose.encode() + b"\x00" + digest
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (
            Ed25519PublicKey,
        )
    except ImportError:
        return is_ed25519(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# Ed25519 as RFC 8032, section 5.1.7 and section 6 have it; points are (X, Y, Z, T) with x = X/Z,
# y = Y/Z, xy = T/Z. Nothing here is secret, so nothing need take the same time for every input.

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def added(one: Point, other: Point) -> Point:
    """The sum of two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % FIELD
    b = (one[1] + one[0]) * (other[1] + other[0]) % FIELD
    c = 2 * one[3] * other[3] * CURVE_D % FIELD
    d = 2 * one[2] * other[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD)


def combined(first: int, one: Point, second: int, other: Point) -> Point:
    """``first`` times one point and ``second`` times another, added up."""
    both = added(one, other)
    found = NEUTRAL
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        found = added(found, found)
        match first >> bit & 1, second >> bit & 1:
            case 1, 1:
                found = added(found, both)
            case 1, 0:
                found = added(found, one)
            case 0, 1:
                found = added(found, other)
    return found


def as_point(text: bytes) -> Point | None:
    """A point from its 32 bytes; None where they are none."""
    y = int.from_bytes(text, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= FIELD:
        return None
    square = (y * y - 1) * pow(CURVE_D * y * y + 1, FIELD - 2, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if (x * x - square) % FIELD:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    if (x * x - square) % FIELD or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = FIELD - x
    return (x, y, 1, x * y % FIELD)


def as_bytes(point: Point) -> bytes:
    """A point's 32 bytes."""
    inverse = pow(point[2], FIELD - 2, FIELD)
    x, y = point[0] * inverse % FIELD, point[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = as_point((4 * pow(5, FIELD - 2, FIELD) % FIELD).to_bytes(32, "little"))


def is_ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """RFC 8032, section 5.1.7, with nothing but whole numbers."""
    if len(public) != 32 or len(signature) != 64 or BASE is None:
        return False
    key, scalar = as_point(public), int.from_bytes(signature[32:], "little")
    if key is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    against = (FIELD - key[0], key[1], key[2], FIELD - key[3])
    return as_bytes(combined(scalar, BASE, challenge, against)) == signature[:32]


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def root_from_path(leaf: bytes, index: int, count: int, path: list[bytes]) -> bytes | None:
    """RFC 9162, section 2.1.3.2: verifying an inclusion proof."""
    if not 0 <= index < count:
        return None
    position, last, found = index, count - 1, leaf
    for step in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            found = node_hash(step, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, step)
        position, last = position >> 1, last >> 1
    return found if last == 0 else None


def read_checkpoints(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Number, seal hash and signature of each line."""
    for at, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != 4 or parts[0] != "1" or not parts[1].isdigit():
            raise Broken(f"Line {at} of the checkpoint file cannot be read.")
        yield int(parts[1]), parts[2], parts[3]


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: two programs could read it in two ways."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return value


class Verifier:
    """Reads a bundle line by line; ``problems`` is empty if all is well."""

    def __init__(self, fingerprints: set[str], checkpoints: dict[int, tuple[str, str]]) -> None:
        self.digest = hashlib.sha256()
        self.trusted = {one.lower() for one in fingerprints}
        self.checkpoints = checkpoints
        self.header: dict[str, Any] = {}
        self.seal: dict[str, Any] | None = None
        self.seal_hash = b""
        self.leaves: list[bytes] = []
        self.proved = False
        self.first: int | None = None
        self.times: list[str] = []
        self.rows = self.seals = self.values = self.hidden = self.others = self.compared = 0
        self.withheld: dict[str, int] = {}
        #: Of an evidence pack what its lists are compared with.
        self.shown: dict[str, tuple[str, str, str]] | None = None
        self.ended = False
        self.problems: list[str] = []

    def run(self, lines: Iterable[bytes]) -> None:
        """Check every line.

        Raises:
            Broken: The file is not a whole bundle.
        """
        for at, text in enumerate(lines, start=1):
            try:
                line = json.loads(text, object_pairs_hook=unique)
            except ValueError as error:
                raise Broken(f"Line {at} is not JSON: {error}.") from None
            if not isinstance(line, dict) or not line:
                raise Broken(f"Line {at} is not an object.")
            if self.ended:
                raise Broken(f"Line {at} comes after the end.")
            try:
                self.read(at, line)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise Broken(f"Line {at} is not in the format: {error!r}.") from None
            self.digest.update(text)
        if not self.ended:
            raise Broken("The bundle has no end: it was cut.")

    def read(self, at: int, line: dict[str, Any]) -> None:
        if at == 1 and "bundle" not in line:
            raise Broken("The first line is no header: this is not a bundle of the trail.")
        if "bundle" in line:
            self.read_header(at, line["bundle"])
        elif "seal" in line:
            self.close_seal()
            self.read_seal(line["seal"], line["signature"])
        elif "row" in line:
            self.read_row(line)
        elif "hashes" in line:
            hashes = [bytes.fromhex(one) for one in line["hashes"]]
            if any(len(one) != 32 for one in hashes):
                raise Broken(f"Line {at} has a hash of the wrong length.")
            self.leaves += hashes
            self.others += len(hashes)
        elif "end" in line:
            self.close_seal()
            self.read_end(line["end"])
        else:
            raise Broken(f"Line {at} is of no known kind.")

    def read_header(self, at: int, header: dict[str, Any]) -> None:
        if at != 1:
            raise Broken(f"Line {at} is a second header.")
        if header["format"] != BUNDLE_FORMAT:
            raise Broken(
                f"The format is {header['format']!r}; this program reads {BUNDLE_FORMAT!r}."
            )
        self.header = header

    def read_seal(self, seal: dict[str, Any], signature: str) -> None:
        number = seal["number"]
        if set(seal) != SEAL_NAMES or seal["format"] != SEAL_FORMAT or type(number) is not int:
            raise Broken(f"Seal {number!r} is not in the format.")
        if self.seal is None:
            self.first = number
        elif number != self.seal["number"] + 1:
            self.problems.append(
                f"After seal {self.seal['number']} comes seal {number}: seals were left out."
            )
        elif seal["previous"] != self.seal_hash.hex():
            self.problems.append(f"Seal {number} does not continue seal {number - 1}.")
        self.seal, self.seal_hash, self.seals = seal, seal_hash(seal), self.seals + 1
        self.check_signature(seal, bytes.fromhex(signature))
        known = self.checkpoints.get(number)
        if known is not None:
            self.compared += 1
            if known != (self.seal_hash.hex(), signature):
                self.problems.append(
                    f"Seal {number} is not the one in the checkpoint file:"
                    " the trail was sealed again."
                )
        elif self.checkpoints and number <= max(self.checkpoints):
            self.problems.append(f"The checkpoint file does not have seal {number}.")

    def check_signature(self, seal: dict[str, Any], signature: bytes) -> None:
        number, public = seal["number"], bytes.fromhex(seal["key"])
        key = sha256(public).hex()
        if key not in self.trusted:
            self.problems.append(
                f"Seal {number} is signed by the key {key}, which you do not trust."
            )
        elif not is_signed(public, signature, SEAL_FORMAT, self.seal_hash):
            self.problems.append(f"Seal {number} does not bear the signature of the key it names.")
        elif seal["kind"] == "key":
            self.trusted.add(sha256(bytes.fromhex(seal["extra"]["next_key"])).hex())

    def read_row(self, line: dict[str, Any]) -> None:
        row, values = line["row"], line["values"]
        if set(row) != ROW_NAMES or row["format"] != ROW_FORMAT:
            raise Broken(f"Row {row.get('id')!r} is not in the format.")
        if self.seal is None:
            raise Broken(f"Row {row['id']} comes before any seal.")
        self.rows += 1
        self.times.append(row["at"])
        del self.times[1:-1]
        if row["workspace"] != self.header["workspace"]:
            self.problems.append(f"Row {row['id']} is of another workspace than the bundle.")
        for name, (salt, text) in values.items():
            self.values += 1
            if commitment(name, salt, text) != row["commitments"].get(name):
                self.problems.append(f"The value {name!r} of row {row['id']} was changed.")
        for name in row["commitments"].keys() - values.keys():
            self.hidden += 1
            part = name.partition(".")[0] if name.partition(".")[2] != "label" else name
            self.withheld[part] = self.withheld.get(part, 0) + 1
        leaf = leaf_hash(row)
        if self.shown is not None:
            self.shown[row["id"]] = (leaf.hex(), row["at"], row["verb"])
        if "path" not in line:
            self.leaves.append(leaf)
            return
        self.proved = True
        path = [bytes.fromhex(step) for step in line["path"]]
        found = root_from_path(leaf, line["index"], self.seal["count"], path)
        if found is None or found.hex() != self.seal["root"]:
            self.problems.append(
                f"Row {row['id']} is not in seal {self.seal['number']}:"
                " it was changed, or never there."
            )

    def close_seal(self) -> None:
        """Compare the seal's root with the leaves that were given for it."""
        seal, leaves, proved = self.seal, self.leaves, self.proved
        self.leaves, self.proved = [], False
        if seal is None or proved:
            return
        if not leaves and seal["count"]:  # others' rows only: signature and chain are what counts
            self.others += seal["count"]
            return
        if len(leaves) != seal["count"] or merkle_root(leaves).hex() != seal["root"]:
            self.problems.append(
                f"The rows of seal {seal['number']} are not the {seal['count']} that it was made"
                " over: some were changed, cut, added or reordered."
            )

    def check_end_signature(self, end: dict[str, Any]) -> None:
        """The file is as the server made it: nobody on its way left a row out."""
        digest, public = self.digest.digest(), bytes.fromhex(end["key"])
        key = sha256(public).hex()
        if end["sha256"] != digest.hex():
            self.problems.append("The bundle was changed after it was made.")
        if key not in self.trusted:
            self.problems.append(f"The bundle is signed by the key {key}, which you do not trust.")
        elif not is_signed(public, bytes.fromhex(end["signature"]), BUNDLE_FORMAT, digest):
            self.problems.append("The signature at the end of the bundle is wrong.")

    def read_end(self, end: dict[str, Any]) -> None:
        self.ended = True
        self.check_end_signature(end)
        if (end["rows"], end["seals"]) != (self.rows, self.seals):
            self.problems.append(
                f"The bundle has {self.rows} rows and {self.seals} seals; its end says"
                f" {end['rows']} and {end['seals']}: lines were cut."
            )
        last = self.seal["number"] if self.seal else None
        if self.header["seals"] != ([self.first, last] if self.seal else []):
            self.problems.append("The bundle's header names other seals than it holds.")


class Pack:
    """An evidence pack: its manifest, its files, the rows of its lists."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.listed = 0
        self.problems: list[str] = []
        self.manifest: dict[str, Any] = {}

    def run(self, verifier: Verifier) -> None:
        """Check all of it; what is wrong with its trail is in ``verifier``.

        Raises:
            Broken: The archive is no evidence pack.
        """
        names = [one.filename for one in self.archive.infolist()]
        try:
            text = self.archive.read("manifest.json")
            signature = bytes.fromhex(self.archive.read("manifest.sig").decode().strip())
            self.manifest = json.loads(text, object_pairs_hook=unique)
            self.check_manifest(text, signature, verifier.trusted)
            self.check_files(names)
            with self.archive.open("trail.ndjson") as lines:
                verifier.shown = {}
                verifier.run(lines)
            if verifier.header["workspace"] != self.manifest["workspace"]:
                self.problems.append("The trail in the pack is another workspace's.")
            for name in self.manifest["lists"]:
                self.check_list(name, verifier.shown)
        except (KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
            raise Broken(f"It is no evidence pack in the format: {error!r}.") from None

    def check_manifest(self, text: bytes, signature: bytes, trusted: set[str]) -> None:
        if self.manifest["format"] != EVIDENCE_FORMAT:
            raise Broken(
                f"The format is {self.manifest['format']!r}; this program reads"
                f" {EVIDENCE_FORMAT!r}."
            )
        public = bytes.fromhex(self.manifest["key"])
        key = sha256(public).hex()
        if key not in trusted:
            self.problems.append(f"The pack is signed by the key {key}, which you do not trust.")
        elif not is_signed(public, signature, EVIDENCE_FORMAT, sha256(text)):
            self.problems.append("The manifest was changed, or the signature beside it is wrong.")

    def check_files(self, names: list[str]) -> None:
        files = self.manifest["files"]
        if len(names) != len(set(names)):
            self.problems.append("A file stands twice in the archive.")
        for name in sorted(set(names) - files.keys() - {"manifest.json", "manifest.sig"}):
            self.problems.append(f"The file {name!r} was added to the pack.")
        for name in sorted(files.keys() - set(names)):
            self.problems.append(f"The file {name!r} was taken out of the pack.")
        for name in sorted(files.keys() & set(names)):
            digest = hashlib.sha256()
            with self.archive.open(name) as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
            if digest.hexdigest() != files[name]["sha256"]:
                self.problems.append(f"The file {name!r} was changed.")

    def check_list(self, name: str, shown: dict[str, tuple[str, str, str]]) -> None:
        """Every row of a list is a row of the trail that the pack proves."""
        count = 0
        with self.archive.open(f"{name}.csv") as file:
            text: IO[str] = io.TextIOWrapper(file, encoding="utf-8", newline="")
            for row in csv.DictReader(text):
                count += 1
                if shown.get(row["id"]) != (row["hash"], row["at"], row["verb"]):
                    self.problems.append(
                        f"The row {row['id']} of {name}.csv is not the one in the trail."
                    )
        if count != self.manifest["lists"][name]:
            self.problems.append(f"{name}.csv has {count} rows; its manifest says otherwise.")
        self.listed += count


class Decision:
    """The evidence of one decision: a page that holds its row of the trail, signed as a whole."""

    def __init__(self, data: bytes) -> None:
        found = re.fullmatch(
            rb"(.*\n)<!-- signalbox\.decision/1 ([0-9a-f]{64}) ([0-9a-f]{128}) -->\n",
            data,
            re.DOTALL,
        )
        if found is None:
            raise Broken("The page does not end with its signature: it was cut or changed.")
        self.page = found[1]
        self.public, self.signature = (bytes.fromhex(one.decode()) for one in found.groups()[1:])
        self.values: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}
        self.problems: list[str] = []

    def run(self, verifier: Verifier) -> None:
        """Check the signature, the row's way to its seal, and what was shown.

        Raises:
            Broken: The page holds no proof in the format.
        """
        key = sha256(self.public).hex()
        if key not in verifier.trusted:
            self.problems.append(f"The page is signed by the key {key}, which you do not trust.")
        elif not is_signed(self.public, self.signature, DECISION_FORMAT, sha256(self.page)):
            self.problems.append("The page was changed after it was made.")
        proofs = re.findall(
            rb'<script id="proof" type="application/json">(.*?)</script>', self.page, re.DOTALL
        )
        if len(proofs) != 1:
            raise Broken("The page does not hold one proof.")
        try:
            proof = json.loads(proofs[0], object_pairs_hook=unique)
            if proof["format"] != DECISION_FORMAT:
                raise Broken(f"The format is {proof['format']!r}, not {DECISION_FORMAT!r}.")
            verifier.header = {name: proof[name] for name in ("workspace", "made_at", "made_by")}
            verifier.read_seal(proof["seal"], proof["signature"])
            verifier.read_row({name: proof[name] for name in ("row", "values", "index", "path")})
            self.check_shown(proof)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise Broken(f"It is no evidence of a decision in the format: {error!r}.") from None

    def check_shown(self, proof: dict[str, Any]) -> None:
        """What the person was shown has the hash that they decided by."""
        texts = {name: text for name, (_, text) in proof["values"].items()}
        self.values = {name: json.loads(text) for name, text in texts.items()}
        if proof["row"]["verb"] != "task.decide":
            self.problems.append("The row is not about a decision.")
        shown = texts.get("details.shown")
        if shown is None:
            return  # erased: the row's commitment is all that is left
        if self.values["details.shown"].get("too_long"):
            shown = proof["shown"]
            if sha256(shown.encode()).hex() != self.values["details.shown"]["sha256"]:
                self.problems.append("What was shown is not what the trail has the hash of.")
        if sha256(shown.encode()).hex() != self.values["details.seen"]:
            self.problems.append("What is shown is not what the person decided by.")
        self.shown = json.loads(shown, parse_float=str, parse_int=str)

    def tell(self) -> None:
        """Print the decision and the facts that it was made by, as the trail has them."""
        told = self.values
        person = told.get("details.person") or {}
        print(f"Decision: {told.get('details.outcome', '?')}, by {person.get('name', '?')}")
        if told.get("details.on_behalf_of"):
            print(f"  on behalf of {told['details.on_behalf_of']}")
        if told.get("reason"):
            print(f"  comment: {told['reason']}")
        if self.problems:
            return
        if not self.shown:
            print("  What was shown was erased.")
            return
        print(f"Shown: {self.shown['title']}")
        for fact in self.shown["facts"]:
            print(f"  {fact['label']}: {as_text(fact['value'])}")


def as_text(value: Any) -> str:
    """A fact's value on one line; numbers with the digits that they were shown with."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tell(verifier: Verifier) -> None:
    """Print what was found."""
    header, seal = verifier.header, verifier.seal
    print(f"Workspace {header['workspace']}, made {header['made_at']} by {header['made_by']}")
    if seal:
        period = f", from {verifier.times[0]} to {verifier.times[-1]}" if verifier.times else ""
        print(f"Seals {verifier.first} to {seal['number']}; {verifier.rows} rows{period}.")
    print(f"{verifier.values} values shown and checked, {verifier.hidden} withheld or erased.")
    for name, count in sorted(verifier.withheld.items()):
        print(f"  withheld: {name}: {count}")
    if verifier.others:
        print(f"{verifier.others} rows of others, or dropped ones, are there only as hashes.")
    if verifier.checkpoints:
        newer = verifier.seals - verifier.compared
        print(
            f"{verifier.compared} seals compared with the checkpoint file,"
            f" {newer} not: they are newer than the file, or missing there."
        )
    for problem in verifier.problems:
        print(f"PROBLEM: {problem}")


def main(arguments: list[str] | None = None) -> int:
    """Check one bundle; 0 only if all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", help="a bundle, a proof, an evidence pack or a decision")
    parser.add_argument(
        "--fingerprint", action="append", required=True, help="SHA-256 of the trusted key, in hex"
    )
    parser.add_argument("--checkpoints", help="a copy of the checkpoint file")
    options = parser.parse_args(arguments)
    wrong = [one for one in options.fingerprint if not re.fullmatch(r"[0-9a-fA-F]{64}", one)]
    if wrong:
        parser.error(f"{wrong[0]!r} is no fingerprint: 64 hex digits were expected.")
    try:
        points = {}
        if options.checkpoints:
            with Path(options.checkpoints).open(encoding="ascii") as text:
                points = {number: (hash_, mark) for number, hash_, mark in read_checkpoints(text)}
        verifier = Verifier(set(options.fingerprint), points)
        whole = verify(Path(options.bundle), verifier)
    except (Broken, OSError, UnicodeDecodeError) as error:
        print(f"The bundle does NOT verify: {error}")
        return 1
    tell(verifier)
    what = {Pack: "evidence pack", Decision: "evidence"}.get(type(whole), "bundle")
    if isinstance(whole, Pack):
        print(f"{len(whole.manifest['files'])} files, {whole.listed} rows in its lists.")
    if isinstance(whole, Decision):
        whole.tell()
    for problem in whole.problems if whole else ():
        print(f"PROBLEM: {problem}")
    bad = bool(verifier.problems or (whole and whole.problems))
    print(f"The {what} does NOT verify." if bad else f"The {what} verifies.")
    return int(bad)


def verify(path: Path, verifier: Verifier) -> Pack | Decision | None:
    """Check a file of any kind; the pack or the decision, where it is one.

    Raises:
        Broken: It is none of them.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            pack = Pack(archive)
            pack.run(verifier)
        return pack
    with path.open("rb") as lines:
        if lines.read(9).lower() != b"<!doctype":
            lines.seek(0)
            verifier.run(lines)
            return None
    decision = Decision(path.read_bytes())
    decision.run(verifier)
    return decision


if __name__ == "__main__":
    sys.exit(main())

"""A consistent copy of everything but the keys, and the way back into an empty home."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.stack.errors import BackupFailed, KeysMissing
from config.stack.keys import key_marks
from config.stack.oneoff import serving, with_servers
from config.stack.places import Places
from config.stack.postgres import program

FORMAT = "signalbox.backup/1"
DUMP, FILES, MANIFEST = "database.dump", "files", "manifest.json"

# Remade, of no use elsewhere, or not to be in a backup at all: the keys.
_LEFT_OUT = {
    *("keys", "postgres", "postgres.new", "valkey", "static", "backups", "prepared", "held"),
    *(".lock", "postgres.log", "valkey.log", "bench", "e2e", "audit"),
}
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


def make(places: Places, to: Path | None) -> int:
    """Copy the data of a running or stopped Signalbox into a new folder, and print its name."""
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    target = (to or places.home / "backups" / name).absolute()
    if target.exists():
        raise BackupFailed(f"{target} exists already: name another folder.")
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / FILES).mkdir(parents=True, mode=0o700)
    began = time.monotonic()
    with serving(places) as environ:
        # Before the database: the seals it names are then in the dump, and never the other way.
        checkpoints = _checkpoints(places, environ)
        if checkpoints.exists():
            shutil.copy2(checkpoints, partial / "checkpoints.log")
        _say("copying the database …")
        _database_tool(
            "pg_dump", environ["DATABASE_URL"], "--format=custom", f"--file={partial / DUMP}"
        )
        marks = key_marks(environ)
    # After it: content that a row names is there before the row is.
    for found in sorted(places.home.iterdir()):
        if found.name in _LEFT_OUT or found == checkpoints or found.name == target.parent.name:
            continue
        _say(f"copying {found.name} …")
        if found.is_dir():
            shutil.copytree(found, partial / FILES / found.name, copy_function=_copy_what_stays)
        else:
            shutil.copy2(found, partial / FILES / found.name)
    manifest = {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(),
        "keys": marks,
        "sha256": {
            str(path.relative_to(partial)): _sha256(path)
            for path in sorted(partial.rglob("*"))
            if path.is_file()
        },
    }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    partial.rename(target)
    _say(f"done in {time.monotonic() - began:.1f} s")
    _say(f"the keys are not in it: keep a copy of {places.keys} (or of the SIGNALBOX_…_KEY")
    _say("variables) somewhere else; without them secrets and the trail's seals are lost")
    print(target)
    return 0


def restore(places: Places, source: Path) -> int:
    """Put a backup into a home that has no data yet.

    Raises:
        BackupFailed: It is not a whole backup, or there is data in the way.
    """
    manifest = _read_manifest(source)
    has_own = not os.environ.get("DATABASE_URL")
    in_the_way = [name for name in ("postgres", "checkpoints.log") if (places.home / name).exists()]
    if in_the_way and has_own:
        raise BackupFailed(
            f"{places.home} is not empty ({', '.join(in_the_way)}): restore into an empty home,"
            " with SIGNALBOX_HOME=folder."
        )
    try:
        with with_servers(places) as url:
            _refuse_a_full_database(url)
            _say("restoring the database …")
            _database_tool(
                "pg_restore",
                url,
                *("--no-owner", "--exit-on-error", "--single-transaction"),
                str(source / DUMP),
                target="--dbname",
            )
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ANALYZE")
    except BaseException:
        if has_own:
            # Ours, made a moment ago: half a database is worse than none.
            shutil.rmtree(places.cluster.data, ignore_errors=True)
        raise
    for found in sorted((source / FILES).iterdir()):
        _say(f"restoring {found.name} …")
        if found.is_dir():
            shutil.copytree(found, places.home / found.name, dirs_exist_ok=True)
        else:
            shutil.copy2(found, places.home / found.name)
    if (source / "checkpoints.log").exists():
        checkpoints = _checkpoints(places, os.environ)
        checkpoints.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / "checkpoints.log", checkpoints)
    places.prepared.unlink(missing_ok=True)
    _speak_of_keys(places, manifest)
    return 0


def _speak_of_keys(places: Places, manifest: Mapping[str, object]) -> None:
    _say("done; a backup does not hold the keys")
    try:
        marks = key_marks(os.environ, places)
    except KeysMissing:
        _say(f"before `make up`, put the keys of the old home into {places.keys}")
        return
    if marks == manifest["keys"]:
        _say("the keys in this home are those of the backup: `make up` can start")
    else:
        _say("the keys here are NOT those of the backup: stored secrets cannot be read with them")


def _read_manifest(source: Path) -> dict[str, object]:
    try:
        manifest: dict[str, object] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BackupFailed(f"{source} is not a backup: it has no readable {MANIFEST}.") from error
    if manifest.get("format") != FORMAT:
        raise BackupFailed(f"{source} has format {manifest.get('format')!r}, not {FORMAT!r}.")
    listed = manifest["sha256"]
    if not isinstance(listed, dict):
        raise BackupFailed(f"{source}/{MANIFEST} names no files.")
    for name, digest in listed.items():
        path = source / name
        if not path.is_file() or _sha256(path) != digest:
            raise BackupFailed(f"{path} is missing or was changed since the backup was made.")
    return manifest


def _refuse_a_full_database(url: str) -> None:
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
    if tables and tables[0]:
        raise BackupFailed("The database has tables already: restore into an empty one.")


def _database_tool(name: str, url: str, *arguments: str, target: str = "") -> None:
    """Run one of PostgreSQL's programs; the password goes by environment, not for all to see."""
    parts = conninfo_to_dict(url)
    environ = {_VARIABLES[key]: str(value) for key, value in parts.items() if key in _VARIABLES}
    where = [f"{target}={parts.get('dbname')}"] if target else []
    done = subprocess.run(
        [program(name), *where, *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupFailed(f"{name} failed: {done.stderr.strip()[-2000:]}")


def _copy_what_stays(source: str, target: str) -> None:
    """What is deleted meanwhile, such as a file that nobody sent, is not in the copy."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)


def _checkpoints(places: Places, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("SIGNALBOX_CHECKPOINTS") or places.home / "checkpoints.log")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _say(line: str) -> None:
    print(f"backup  | {line}", file=sys.stderr, flush=True)

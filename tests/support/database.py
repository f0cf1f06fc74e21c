"""One PostgreSQL and one Valkey for a test session, and a database of its own for each worker.

The first worker migrates a template; the others copy it. What a test that really commits
(``transaction=True``) has left behind is deleted row by row, which takes a tenth of a new copy;
where it left much, or changed a table, the next test gets a new copy.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config.stack import scratch

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "template_signalbox"
_FOLDER = "SIGNALBOX_TEST_FOLDER"
#: More rows than this are left behind with their database: deleted ones would be in the way.
MOST_DELETED = 2000

# Made once in the template. ``made`` is what the migrations left: each table's rows as one hash,
# and the number and the youngest of the relations. Triggers and foreign keys are off while rows
# are deleted, since insert-only tables refuse that.
_AS_NEW = f"""
create schema made;
create table made.tables as
  select c.oid, c.oid::regclass::text as name, null::text as hash
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition;
create table made.sequences as
  select format('%I.%I', schemaname, sequencename)::regclass as name, last_value, start_value
  from pg_sequences where schemaname = 'public';
create function made.hash(name text) returns text language plpgsql as $$
declare found text;
begin
  execute format('select md5(string_agg(t::text, chr(10) order by t::text)) from %s t', name)
    into found;
  return found;
end $$;
update made.tables set hash = made.hash(name);
do $$ declare one record; begin
  for one in select * from made.tables where hash is not null loop
    execute format('create table made.%I as table %s', 'rows_' || one.oid, one.name);
  end loop;
end $$;
create function made.relations() returns text language sql as $$
  select format('%s %s', count(*), max(c.oid)) from pg_class c
  join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'
$$;
create table made.state as select made.relations() as relations;
create function as_new() returns boolean language plpgsql as $$
declare one record; has_rows boolean; count bigint; total bigint := 0;
begin
  perform pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';
  if made.relations() <> (select relations from made.state) then return false; end if;
  set local session_replication_role = replica;
  for one in select * from made.tables loop
    if one.hash is null then
      execute format('select exists (select from %s)', one.name) into has_rows;
      continue when not has_rows;
    else
      continue when made.hash(one.name) = one.hash;
    end if;
    execute format('delete from %s', one.name);
    get diagnostics count = row_count;
    total := total + count;
    if total > {MOST_DELETED} then return false; end if;
    if one.hash is not null then
      execute format('insert into %s select * from made.%I', one.name, 'rows_' || one.oid);
    end if;
  end loop;
  perform setval(name, coalesce(last_value, start_value), last_value is not null)
    from made.sequences;
  return true;
end $$;
"""


def folder() -> Path:
    """The session's folder: short, since socket addresses end at 107 bytes."""
    return Path(os.environ[_FOLDER])


def prepare_environment() -> None:
    """Say where everything will be, before Django reads its settings. Starts nothing."""
    if _FOLDER not in os.environ:
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="sb-test-", dir="/tmp")
    cluster, broker = scratch.services(folder())
    os.environ |= {
        "SIGNALBOX_ENV": "embedded",
        "SIGNALBOX_HOME": str(folder() / "home"),
        "SIGNALBOX_SECRET_KEY": secrets.token_urlsafe(50),
        "SIGNALBOX_ENCRYPTION_KEYS": b64encode(secrets.token_bytes(32)).decode(),
        "SIGNALBOX_SIGNING_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "DATABASE_URL": cluster.url(database_name()),
        "REDIS_URL": f"{broker.url}?db={worker_number()}",
    }
    (folder() / "home").mkdir(exist_ok=True)


def worker_number() -> int:
    """0 without xdist, else 1 for ``gw0`` and so on. Valkey's databases end at 15."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return 1 + int(worker.removeprefix("gw")) % 15 if worker else 0


def database_name() -> str:
    return f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


class Services:
    """The process that serves PostgreSQL and Valkey; it ends when we do, however we end."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it without waiting. Only the session's first process may."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.stack.scratch", str(folder())],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                start_new_session=True,
            )

    def stop(self) -> None:
        if self.process is not None:
            assert self.process.stdin
            self.process.stdin.close()
            self.process.wait(30)
        shutil.rmtree(folder(), ignore_errors=True)


def wait_for_services(seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not (folder() / "ready").exists():
        if time.monotonic() > until:
            raise TimeoutError(f"PostgreSQL and Valkey did not start: see {folder()}/*.log")
        time.sleep(0.02)


@contextmanager
def _one_at_a_time(name: str):
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_template() -> None:
    """Migrate the template database, once for the whole session."""
    made = folder() / "template"
    with _one_at_a_time("template"):
        if made.exists():
            return
        cluster, _ = scratch.services(folder())
        _recreate(TEMPLATE)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": cluster.url(TEMPLATE)},
            check=True,
        )
        with psycopg.connect(cluster.url(TEMPLATE), autocommit=True) as connection:
            connection.execute(_AS_NEW)
        made.touch()


def make_as_new() -> None:
    """Leave this worker's database as the template is; whatever was connected is thrown out."""
    cluster, _ = scratch.services(folder())
    with psycopg.connect(cluster.url(database_name())) as connection:
        (is_done,) = connection.execute("select as_new()").fetchone() or (False,)
    if not is_done:
        copy_template()


def copy_template() -> None:
    """Give this worker a fresh copy; whatever was connected to the old one is thrown out."""
    _recreate(database_name(), template=TEMPLATE)


def drop_copy() -> None:
    with _administrator() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(database_name())
            )
        )


@contextmanager
def _administrator():
    cluster, _ = scratch.services(folder())
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        yield connection


def _recreate(name: str, *, template: str = "template0") -> None:
    with _administrator() as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        with _one_at_a_time("copy"):  # two copies at once would refuse each other
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

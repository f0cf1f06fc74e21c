"""The stack's own rules, each alone: keys, places, digests, refusals."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from config.stack import programs, stamps
from config.stack.errors import KeysMissing, Refusal
from config.stack.keys import key_marks, keys
from config.stack.offspring import Footing
from config.stack.places import Places
from config.stack.postgres import Cluster
from tests.support.live import ROOT

_KEYS = ("SIGNALBOX_SECRET_KEY", "SIGNALBOX_ENCRYPTION_KEYS", "SIGNALBOX_SIGNING_KEY")


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in (*_KEYS, "DATABASE_URL", "REDIS_URL", "SIGNALBOX_DEMO_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIGNALBOX_HOME", str(tmp_path / "home"))
    return Places.here()


def test_keys_are_made_once_and_only_we_can_read_them(home):
    first = keys(home)

    assert keys(home) == first
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o700
    for file in home.keys.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(_KEYS) < set(first)
    assert len(set(first.values())) == len(first)


def test_a_key_of_the_environment_is_not_made(home, monkeypatch):
    monkeypatch.setenv("SIGNALBOX_SIGNING_KEY", "from outside")

    assert "SIGNALBOX_SIGNING_KEY" not in keys(home)
    assert not (home.keys / "signing_key").exists()


def test_lost_keys_are_not_replaced_by_fresh_ones(home):
    keys(home)
    home.cluster.data.mkdir()
    (home.cluster.data / "PG_VERSION").write_text("18")
    (home.keys / "encryption_keys").unlink()

    with pytest.raises(KeysMissing, match="encryption_keys"):
        keys(home)
    assert not (home.keys / "encryption_keys").exists()


def test_marks_tell_keys_apart_and_give_nothing_away(home):
    found = keys(home)
    marks = key_marks(found)

    assert marks == key_marks({}, home)
    assert not any(value in str(marks) for value in found.values())
    assert marks != key_marks({**found, "SIGNALBOX_SIGNING_KEY": "another"})


def test_a_socket_address_stays_short_however_long_the_home_is(tmp_path, monkeypatch):
    deep = tmp_path.joinpath(*["a folder with a long name and spaces"] * 6)
    monkeypatch.setenv("SIGNALBOX_HOME", str(deep))
    places = Places.here()

    for path in (places.control(), places.notices("web"), places.broker.socket):
        assert len(os.fsencode(path)) < 100
    assert places.runtime != Places(tmp_path).runtime
    places.runtime.rmdir()


def test_a_runtime_folder_that_others_can_open_is_not_used(home):
    folder = home.runtime
    folder.chmod(0o755)

    with pytest.raises(PermissionError, match="remove it"):
        home.control()
    folder.rmdir()


def test_given_servers_are_not_started(home, monkeypatch):
    assert [program.name for program in programs.servers(home)] == ["postgres", "valkey"]

    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/signalbox")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example")

    assert programs.servers(home) == []
    assert programs.environment(home)["DATABASE_URL"] == "postgresql://db.example/signalbox"


def test_production_names_what_is_missing_and_makes_no_keys(home, monkeypatch):
    monkeypatch.setenv("SIGNALBOX_ENV", "production")

    with pytest.raises(Refusal, match="DATABASE_URL is not set"):
        programs.environment(home)
    assert not home.keys.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SIGNALBOX_SECRET_KEY": ""}, "SIGNALBOX_SECRET_KEY is not set"),
        ({"SIGNALBOX_SECRET_KEY": "changeme"}, "SIGNALBOX_SECRET_KEY is too short"),
        ({"SIGNALBOX_ENCRYPTION_KEYS": ""}, "SIGNALBOX_ENCRYPTION_KEYS is not set"),
        ({"SIGNALBOX_SIGNING_KEY": ""}, "SIGNALBOX_SIGNING_KEY is not set"),
        ({"DEBUG": "1"}, "DEBUG is set"),
        ({"SIGNALBOX_DEMO": "1"}, "SIGNALBOX_DEMO is set"),
        ({"SIGNALBOX_TEST_CLOCK": "1"}, "SIGNALBOX_TEST_CLOCK is set"),
        ({"SIGNALBOX_HOSTS": ""}, "SIGNALBOX_HOSTS is not set"),
    ],
)
def test_production_refuses_to_start_with_a_sentence(home, change, sentence):
    whole = {
        "SIGNALBOX_ENV": "production",
        "SIGNALBOX_HOME": str(home.home),
        "SIGNALBOX_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST",
        "SIGNALBOX_ENCRYPTION_KEYS": "A" * 43 + "=",
        "SIGNALBOX_SIGNING_KEY": "A" * 43 + "=",
        "SIGNALBOX_HOSTS": "flows.example.com",
        "DATABASE_URL": "postgresql://db.example/signalbox",
        "REDIS_URL": "redis://redis.example",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "config.prepare"],
        cwd=ROOT,
        env={**whole, **change},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_half_made_cluster_is_never_used(tmp_path, monkeypatch):
    cluster = Cluster(tmp_path / "postgres", tmp_path, losable=True)
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18")

    assert cluster.create()
    assert (cluster.data / "global" / "pg_control").exists()
    assert not cluster.create()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_where_namespaces_are_forbidden_the_server_runs_as_nobody(tmp_path, monkeypatch):
    from config.stack import offspring, postgres

    monkeypatch.setattr(postgres, "unprivileged", lambda: Footing.NOBODY)
    sockets = tmp_path / "s"
    sockets.mkdir(mode=0o700)
    cluster = Cluster(tmp_path / "postgres", sockets, losable=True)
    cluster.create()
    assert cluster.data.stat().st_uid == offspring.NOBODY

    server = subprocess.Popen(
        cluster.command(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=offspring.preparation(dies_by=signal.SIGINT, footing=Footing.NOBODY),
    )
    try:
        cluster.wait_until_ready(20)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


def test_a_lock_file_of_a_dead_server_does_not_keep_the_next_one_out(tmp_path):
    cluster = Cluster(tmp_path / "postgres", tmp_path, losable=True)
    cluster.data.mkdir()
    lock = cluster.data / "postmaster.pid"

    lock.write_text(f"{os.getpid()}\n")  # a number that now belongs to somebody else
    assert cluster.running() is None
    assert not lock.exists()

    lock.write_text("999999999\n")
    assert cluster.running() is None


def test_a_digest_sees_names_and_bytes_and_passes_over_caches(tmp_path):
    folder = tmp_path / "sources"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "a.py").write_text("1")
    first = stamps.digest([folder])

    (folder / "__pycache__" / "a.pyc").write_text("x")
    assert stamps.digest([folder]) == first
    (folder / "a.py").write_text("2")
    second = stamps.digest([folder])
    (folder / "a.py").rename(folder / "b.py")

    assert len({first, second, stamps.digest([folder]), stamps.digest([tmp_path / "gone"])}) == 4

"""What holds while the product runs: it comes back, it is replaced without a gap, it ends whole."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from config.stack.offspring import preparation
from tests.chaos.load import put_draft
from tests.support import database
from tests.support.live import ROOT, LiveStack, clean_environment, descendants, is_alive, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack():
    running = LiveStack(database.folder() / "running")
    try:
        running.start()
        yield running
    finally:
        running.stop()


class Requests:
    """Threads that ask for the health page without a pause and count what they get."""

    def __init__(self, stack: LiveStack) -> None:
        self.seen: Counter[str] = Counter()
        self._stack = stack
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(keep,)) for keep in (True, False, False)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keep: bool) -> None:
        line = None
        while not self._over.is_set():
            line = line or http.client.HTTPConnection("127.0.0.1", self._stack.port, timeout=10)
            try:
                line.request("GET", "/healthz")
                answer = line.getresponse()
                answer.read()
                self.seen[str(answer.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[type(error).__name__] += 1
                line.close()
                line = None
            if line and not keep:
                line.close()
                line = None
            time.sleep(0.005)
        if line:
            line.close()


def test_lines_carry_the_name_of_their_process(stack):
    lines = stack.lines().splitlines()

    assert any(line.startswith("postgres| ") for line in lines)
    assert any(line.startswith("up      | ") for line in lines)
    assert f"Signalbox is ready: {stack.url}" in lines


@pytest.mark.parametrize("name", ["web", "drive", "effects", "clock", "valkey", "postgres"])
def test_a_killed_process_comes_back_and_leaves_nothing_behind(stack, name):
    below = descendants(stack.processes()[name])

    old = stack.kill(name)

    until(lambda: stack.processes().get(name) not in {old, None}, 10, f"a new {name}")
    until(stack.is_healthy, 20, "the health page")
    until(lambda: not any(is_alive(pid) for pid in [old, *below]), 5, "the old ones gone")


def test_while_the_web_process_comes_back_connections_wait_instead_of_being_refused(stack):
    until(stack.is_healthy, 20)
    with Requests(stack) as requests:
        time.sleep(0.3)
        stack.kill("web")
        time.sleep(4)

    assert requests.seen["ConnectionRefusedError"] == 0
    assert requests.seen["200"] > 20


def test_restart_replaces_every_process_and_no_request_fails(stack):
    before = stack.processes()
    with Requests(stack) as requests:
        time.sleep(0.5)
        done = stack.restart()
        time.sleep(0.5)

    after = stack.processes()
    assert done.returncode == 0, done.stderr
    for name in ("web", "drive", "effects", "clock"):
        assert after[name] != before[name]
    assert after["postgres"] == before["postgres"]
    assert set(requests.seen) == {"200"}
    until(lambda: not any(is_alive(before[name]) for name in ("web", "drive", "effects")), 10)


def test_restart_works_right_after_processes_were_killed(stack):
    for name in ("web", "drive"):
        stack.kill(name)

    assert stack.restart().returncode == 0
    until(stack.is_healthy, 20)


def test_a_killed_child_of_the_drive_pool_is_replaced(stack):
    worker = stack.processes()["drive"]
    first = descendants(worker)
    os.kill(first[0], signal.SIGKILL)

    until(lambda: set(descendants(worker)) - set(first), 15, "a new pool process")
    assert stack.processes()["drive"] == worker


def test_manage_runs_beside_it_and_prints_nothing_of_its_own(stack):
    code = "from django.conf import settings; print(settings.EMBEDDED)"
    assert stack.manage("shell", "--verbosity=0", "--command", code) == "True\n"


def test_the_test_clock_moves_business_time_for_every_process(stack):
    token = stack.manage("issue_token", "builder@demo.local").split()[-1]
    flow = stack.call("POST", "flows/", token, {"name": "Rest"})["id"]
    document = {
        "format": "signalbox.flow/1",
        "name": "Rest",
        "trigger": {"type": "manual", "config": {}},
        "steps": {"rest": {"type": "delay", "version": 1, "config": {"for": "PT3H"}}},
        "links": [{"from": "trigger", "to": "rest"}],
        "settings": {},
        "layout": {},
    }
    put_draft(stack, flow, token, document)
    stack.call("POST", f"flows/{flow}/publish/", token, {"note": "three hours"})
    run = f"runs/{stack.call('POST', f'flows/{flow}/runs/', token, {'input': {}})['id']}/"
    until(lambda: stack.call("GET", run, token)["status"] == "waiting", 20, "it waits")

    stack.manage("clock", "advance", "PT2H")
    time.sleep(3)
    assert stack.call("GET", run, token)["status"] == "waiting"
    stack.manage("clock", "advance", "PT1H")

    until(lambda: stack.call("GET", run, token)["status"] == "completed", 10, "the time is over")


def test_a_second_one_on_the_same_home_is_refused(stack):
    done = subprocess.run(
        stack._command("up"),
        cwd=ROOT,
        env=stack.environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "already runs" in done.stderr


def test_durability_is_never_traded(stack):
    code = (
        "from django.db import connection as c; k=c.cursor(); "
        "print([k.execute('show '+n).fetchone()[0] for n in "
        "('fsync','full_page_writes','synchronous_commit')])"
    )
    assert stack.manage("shell", "--verbosity=0", "--command", code) == "['on', 'on', 'on']\n"


def test_the_whole_product_comes_back_quickly_and_ends_whole(tmp_path_factory):
    stack = LiveStack(database.folder() / "again", SIGNALBOX_DEMO="0")
    try:
        stack.start()
        everything = descendants(stack.pid)
        assert stack.stop() < 20
        until(lambda: not any(map(is_alive, everything)), 5, "nothing left after Ctrl-C")

        assert stack.start() < 10

        everything = descendants(stack.pid)
        stack.kill_supervisor()
        until(lambda: not any(map(is_alive, everything)), 10, "nothing left after kill -9")

        assert stack.start() < 15
    finally:
        stack.stop()


def test_a_port_that_is_taken_is_said_at_once(stack):
    done = subprocess.run(
        stack._command("up"),
        cwd=ROOT,
        env={**stack.environ, "SIGNALBOX_HOME": str(database.folder() / "taken")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"Port {stack.port} is taken" in done.stderr


def test_single_parts_run_against_servers_of_ones_own(stack, services):
    """What compose.yaml starts, container by container, with DATABASE_URL and REDIS_URL."""
    given = clean_environment(
        SIGNALBOX_HOME=str(database.folder() / "parts"),
        DATABASE_URL=_value(stack, "DATABASE_URL"),
        REDIS_URL=_value(stack, "REDIS_URL"),
        SIGNALBOX_ENV="embedded",
        SIGNALBOX_DEMO="0",
    )
    refused = subprocess.run(
        [sys.executable, "-m", "config.stack", "prepare"],
        cwd=ROOT,
        env={**given, "SIGNALBOX_HOME": str(database.folder() / "other keys")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert refused.returncode == 1
    assert "not in SIGNALBOX_ENCRYPTION_KEYS any more. Set the keys" in refused.stderr
    assert "Traceback" not in refused.stderr

    # Who shares a database shares its keys.
    names = ("SIGNALBOX_SECRET_KEY", "SIGNALBOX_ENCRYPTION_KEYS", "SIGNALBOX_SIGNING_KEY")
    given |= {name: _value(stack, name) for name in names}
    for part in ("prepare", "drive", "effects", "clock", "web"):
        command = [sys.executable, "-m", "config.stack", *(["only"] if part != "prepare" else [])]
        environ = {**given, "PORT": "0"} if part != "web" else {**given, "PORT": _free()}
        log = database.folder() / f"{part}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, part], cwd=ROOT, env=environ, stdout=out, stderr=out
            )
        if part == "prepare":
            assert process.wait(120) == 0, log.read_text()
            continue
        word = "ready: http" if part == "web" else f"{part} ready"
        until(lambda log=log, word=word: word in log.read_text(), 60, f"{part} ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _value(stack: LiveStack, name: str) -> str:
    code = f"import os; print(os.environ[{name!r}])"
    return stack.manage("shell", "--verbosity=0", "--command", code).strip()


def _free() -> str:
    from tests.support.live import free_port

    return str(free_port())


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user is what runs this already")
def test_it_runs_as_an_ordinary_user_from_a_long_path_with_spaces():
    """As user 1000 of a user namespace, which is nobody special: every check of root sees it."""
    from config.stack.offspring import Footing

    home = database.folder() / ("a home with spaces and a long name " * 3).strip()
    stack = LiveStack(home, SIGNALBOX_DEMO="0")
    with stack.log.open("wb") as log:
        stack.process = subprocess.Popen(
            stack._command("up"),
            cwd=ROOT,
            env=stack.environ,
            stdout=log,
            stderr=log,
            preexec_fn=preparation(dies_by=signal.SIGINT, footing=Footing.NAMESPACE),
        )
    try:
        until(lambda: "Signalbox is ready" in stack.lines(), 90, stack.lines()[-3000:])
        assert stack.is_healthy()
    finally:
        stack.process.send_signal(signal.SIGINT)
        stack.process.wait(30)


class TestBackup:
    def test_a_backup_is_restored_into_an_empty_home_and_work_goes_on(self, stack, tmp_path):
        done = subprocess.run(
            stack._command("backup"),
            cwd=ROOT,
            env=stack.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        backup = done.stdout.strip()
        assert "keys are not in it" in done.stderr
        names = subprocess.run(["find", backup], capture_output=True, text=True, check=True).stdout
        assert "signing_key" not in names
        assert "encryption_keys" not in names

        restored = LiveStack(database.folder() / "restored", SIGNALBOX_DEMO="0")
        first = self._restore(restored, backup)
        assert first.returncode == 0, first.stderr
        assert "put the keys of the old home into" in first.stderr

        # Without its keys it does not start, and makes none that would hide the loss.
        refused = restored._run("manage", "check")
        assert refused.returncode == 1
        assert "not its keys" in refused.stderr

        shutil.copytree(stack.home / "keys", restored.home / "keys")
        try:
            restored.start()
            restored.manage("check_runs")
            restored.manage("audit_verify")
            self._decide_what_waits(restored)
            restored.manage("check_runs")
            restored.manage("audit_verify")
        finally:
            restored.stop()

        again = self._restore(restored, backup)
        assert again.returncode == 1
        assert "is not empty" in again.stderr

    def test_a_backup_that_was_changed_is_refused(self, stack):
        target = database.folder() / "changed"
        stack._run("backup", str(target), seconds=120)
        with (target / "database.dump").open("ab") as dump:
            dump.write(b"x")
        empty = LiveStack(database.folder() / "empty")

        done = self._restore(empty, str(target))

        assert done.returncode == 1
        assert "was changed" in done.stderr
        assert not (empty.home / "postgres").exists()

    @staticmethod
    def _decide_what_waits(stack: LiveStack) -> None:
        """The demo's waiting approval is answered, and its run goes on to its end."""
        approver = stack.manage("issue_token", "approver@demo.local").split()[-1]
        builder = stack.manage("issue_token", "builder@demo.local").split()[-1]
        task = stack.call("GET", "tasks/", approver)["results"][0]
        seen = stack.call("GET", f"tasks/{task['id']}/", approver)["seen"]

        decision = {"outcome": "rejected", "comment": "No.", "seen": seen}
        stack.call("POST", f"tasks/{task['id']}/decide/", approver, decision)

        run = f"runs/{task['run']}/"
        over = {"completed", "failed", "cancelled"}
        until(lambda: stack.call("GET", run, builder)["status"] in over, 30, "the run's end")

    @staticmethod
    def _restore(stack: LiveStack, backup: str):
        return stack._run("restore", backup, seconds=120)

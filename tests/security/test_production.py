"""security.md: ``check --deploy`` is clean in production mode, and cookies and HSTS are production's.

And the issue, 1: in production mode a missing key, a default password or DEBUG is a refusal to
start, with a sentence that says what to set.
"""

import base64
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def key():
    return base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def production(tmp_path):
    """An environment that production starts with."""
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SIGNALBOX_", "DJANGO_", "PYTEST_"))
    }
    return {
        **mine,
        "SIGNALBOX_HOME": str(tmp_path),
        "SIGNALBOX_SECRET_KEY": secrets.token_urlsafe(50),
        "SIGNALBOX_ENCRYPTION_KEYS": f"{key()},{key()}",
        "SIGNALBOX_SIGNING_KEY": key(),
        "SIGNALBOX_HOSTS": "signalbox.example.com",
        "DATABASE_URL": "postgresql://signalbox:8f0x-quiet-lamps@db/signalbox",
        "REDIS_URL": "redis://broker:6379/0",
    }


def run(environment, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_deploy_is_clean(production):
    done = run(production, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "INFO")

    assert done.returncode == 0, done.stderr
    # One check is silenced, with its reason beside it in config/settings.py: TLS ends at the proxy.
    assert "no issues (1 silenced)" in done.stdout


def test_production_is_what_runs_when_nothing_is_said(production):
    read = (
        "import json\nfrom config import settings as s\nprint(json.dumps({n: getattr(s, n) for n in"
        " dir(s) if n.isupper() and n.startswith(('SESSION', 'CSRF', 'SECURE', 'DEBUG', 'X_'))}))"
    )
    found = json.loads(run(production, "-c", read).stdout)

    assert found["DEBUG"] is False
    assert found["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    assert found["CSRF_COOKIE_NAME"] == "__Host-csrftoken"
    for cookie in ("SESSION_COOKIE", "CSRF_COOKIE"):
        assert found[f"{cookie}_SECURE"] is True
        assert found[f"{cookie}_SAMESITE"] == "Lax"
    assert found["SESSION_COOKIE_HTTPONLY"] is True
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert found["SECURE_CONTENT_TYPE_NOSNIFF"] is True
    assert found["SECURE_REFERRER_POLICY"] == "same-origin"


REFUSED = [
    ({name: None}, name)
    for name in (
        "SIGNALBOX_SECRET_KEY",
        "SIGNALBOX_ENCRYPTION_KEYS",
        "SIGNALBOX_SIGNING_KEY",
        "SIGNALBOX_HOSTS",
        "DATABASE_URL",
        "REDIS_URL",
    )
] + [
    ({"SIGNALBOX_SECRET_KEY": "short"}, "at least 50 random characters"),
    ({"SIGNALBOX_SECRET_KEY": "a" * 60}, "at least 50 random characters"),
    ({"SIGNALBOX_ENCRYPTION_KEYS": "not-a-key"}, "openssl rand -base64 32"),
    ({"SIGNALBOX_SIGNING_KEY": "not-a-key"}, "SIGNALBOX_SIGNING_KEY"),
    ({"DEBUG": "1"}, "DEBUG is set: unset it"),
    ({"SIGNALBOX_DEMO": "1"}, "SIGNALBOX_DEMO is set: unset it"),
    ({"SIGNALBOX_TEST_CLOCK": "1"}, "SIGNALBOX_TEST_CLOCK is set: unset it"),
    ({"SIGNALBOX_ENV": "development"}, "set it to 'embedded' or 'production'"),
    ({"DATABASE_URL": "postgresql://signalbox:postgres@db/signalbox"}, "DATABASE_URL"),
    ({"SIGNALBOX_HOSTS": "*"}, "SIGNALBOX_HOSTS"),
    ({"SIGNALBOX_RUN_DAYS": "30"}, "SIGNALBOX_RUN_DAYS is 30: set it to 31 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), REFUSED, ids=[str(one[0]) for one in REFUSED])
def test_refuses_to_start_with_a_sentence_that_says_what_to_set(production, change, said):
    environment = {
        name: value for name, value in production.items() if change.get(name, "") is not None
    }
    environment |= {name: value for name, value in change.items() if value is not None}

    done = run(environment, "-c", "import config.asgi")

    assert done.returncode != 0
    sentence = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in sentence
    assert said in sentence


def test_mail_goes_through_the_guard_of_outgoing_calls(production):
    environment = {**production, "SIGNALBOX_SMTP_URL": "smtps://user:pass@mail.example.com"}
    done = run(environment, "-c", "from config import settings as s\nprint(s.EMAIL_BACKEND)")
    assert done.stdout.strip() == "apps.connections.mail.GuardedBackend"

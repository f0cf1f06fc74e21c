"""Every browser test: what is in this folder for Chromium, against the running product."""

import os
import subprocess

import pytest

from tests.support.browsers import chromium
from tests.support.live import PASSWORD, ROOT, LiveStack
from tools.installing import npm_command

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(2400)]


def test_the_pages_and_the_story_hold_in_a_real_browser(live_stack: LiveStack):
    command, environ = npm_command()
    done = subprocess.run(
        [*command, "run", "--silent", "e2e"],
        cwd=ROOT,
        env={
            **os.environ,
            **environ,
            "E2E_CHROMIUM": chromium() or "",
            "E2E_URL": live_stack.url,
            "E2E_PASSWORD": PASSWORD,
            "E2E_HOME": str(live_stack.home),
        },
        check=False,
    )
    assert done.returncode == 0

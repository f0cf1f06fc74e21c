"""Every page of the app in every state, in a real Chromium behind the product's own policy.

The pages and their states are in ``states.ts``; pictures go to ``var/e2e/states/``.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("E2E_CHROMIUM", "/usr/bin/chromium")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pages_in_all_states() -> None:
    """No page is broken, wider than the window, seriously hard to use, or against the policy."""
    npm = shutil.which("npm")
    if not Path(CHROMIUM).exists() or npm is None:
        pytest.skip(f"Browser tests need npm and Chromium at {CHROMIUM} (E2E_CHROMIUM).")
    done = subprocess.run(
        [npm, "run", "--silent", "e2e"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]

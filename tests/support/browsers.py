"""The Chromium that browser tests drive, if the machine has one."""

import os
import shutil
from functools import cache
from pathlib import Path


@cache
def chromium() -> str | None:
    """Its path: ``E2E_CHROMIUM``, else Debian's, else Google's."""
    named = os.environ.get("E2E_CHROMIUM", "/usr/bin/chromium")
    if Path(named).exists():
        return named
    return shutil.which("chromium") or shutil.which("google-chrome")

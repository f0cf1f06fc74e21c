"""A process that seals, for tests that kill it: ``python -m tests.audit.sealing_worker POINT``.

It stops itself with SIGKILL the first time it reaches the point, if one is named: what a crash of
the process, the container or the machine looks like to everybody else.
"""

import os
import signal
import sys
import time
from pathlib import Path


def main(point: str, checkpoints: str) -> None:  # noqa: C901 - one case for each point
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from typing import Any

    from django.conf import settings
    from django.db import Error, connection

    from apps.audit import checkpoints as files
    from apps.audit import sealing as module
    from apps.audit.models import AuditLeaf, AuditUnsealed
    from apps.core import clock

    settings.CHECKPOINTS = Path(checkpoints)
    # Parts of these are put in the place of others below.
    sealing: Any = module
    leaves: Any = AuditLeaf.objects
    unsealed: Any = AuditUnsealed.objects

    def dies(*_args: object, **_given: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dies_after(real):
        def then(*args, **given):
            real(*args, **given)
            dies()

        return then

    match point:
        case "before the seal":
            sealing._add_seal = dies
        case "after the seal":
            sealing._add_seal = dies_after(sealing._add_seal)
        case "after the leaves":
            leaves.bulk_create = dies_after(leaves.bulk_create)
        case "before the commit":
            real = unsealed.filter

            def filtered(*args, **given):
                found = real(*args, **given)
                if "event_id__in" in given:
                    found.delete = dies_after(found.delete)
                return found

            unsealed.filter = filtered
        case "before the checkpoint":
            sealing.append_checkpoints = dies
        case "half a checkpoint":

            def torn(descriptor, data):
                os.write(descriptor, data[: len(data) // 2])
                dies()

            files._write = torn
        case "before fsync":
            os.fsync = dies
    print("ready", flush=True)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            sealing.seal_pending(now=clock.now(), limit=7)
        except Error:
            connection.close()  # the backend was terminated: as the clock's part does
        time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])

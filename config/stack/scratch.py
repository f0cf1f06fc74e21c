"""A PostgreSQL and a Valkey to throw away: ``python -m config.stack.scratch FOLDER``.

They live as long as standard input stays open, so they end with whoever started them, however it
ended. The folder is removed at the end; a file ``ready`` in it says that both can be used.
"""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from config.stack.offspring import Footing, preparation, unprivileged
from config.stack.postgres import Cluster
from config.stack.valkey import Broker


def services(folder: Path) -> tuple[Cluster, Broker]:
    """What will be served from this folder, whether it runs already or not."""
    return (
        Cluster(folder / "postgres", folder, losable=True),
        Broker(folder / "valkey", folder / "valkey.sock", losable=True),
    )


def serve(folder: Path) -> None:
    """Start both, say so, and stop both when standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cluster, broker = services(folder)
    started: list[subprocess.Popen[bytes]] = []
    try:
        cluster.create()
        for command, footing, ends_by in (
            (cluster.command(), unprivileged(), signal.SIGQUIT),
            (broker.command(), Footing.OWN, signal.SIGTERM),
        ):
            prepare = preparation(dies_by=ends_by, footing=footing)
            with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
                started.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        preexec_fn=prepare,
                    )
                )
        cluster.wait_until_ready()
        broker.wait_until_ready()
        (folder / "ready").touch()
        sys.stdin.read()
    finally:
        for process in started:
            # Nothing is kept, so nothing is worth waiting for.
            process.send_signal(signal.SIGQUIT if process is started[0] else signal.SIGTERM)
        for process in started:
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

"""How a process tells the supervisor that it can take work."""

import os
import socket

SOCKET, NAME = "SIGNALBOX_NOTICES", "SIGNALBOX_PROCESS"


def ready() -> None:
    """Say so, where somebody listens; a process that runs alone says nothing."""
    path, name = os.environ.get(SOCKET), os.environ.get(NAME)
    if not path or not name:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        try:
            line.sendto(name.encode(), path)
        except OSError:
            # The supervisor is being stopped: nobody waits for us any more.
            return

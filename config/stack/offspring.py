"""What happens in a child between fork and exec: it dies with its parent, and need not be root.

PostgreSQL refuses to run as root. As root it gets a user namespace of its own in which root has
another number: no account is made and no file changes hands. Where namespaces are forbidden (many
containers) it runs as ``nobody``, who is given its data directory.
"""

import ctypes
import enum
import functools
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path

LINUX = sys.platform.startswith("linux")
_LIBC = ctypes.CDLL(None, use_errno=True) if LINUX else None

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

NOBODY = 65534
_INSIDE = 1000


class Footing(enum.Enum):
    """As whom a program that refuses root runs."""

    OWN = "own"  # we are not root: as ourselves
    NAMESPACE = "namespace"  # as root seen from outside, as 1000 seen from inside
    NOBODY = "nobody"

    @property
    def owner(self) -> int:
        """The user id that must own the program's files, seen from outside."""
        return NOBODY if self is Footing.NOBODY else os.geteuid()


@functools.cache
def unprivileged() -> Footing:
    """How a program that refuses root can run here; tried once, in a child."""
    if os.geteuid() != 0:
        return Footing.OWN
    if not LINUX:
        return Footing.NOBODY
    child = os.fork()
    if child == 0:
        try:
            _enter_namespace()
        except OSError:
            os._exit(1)
        os._exit(0)
    return Footing.NAMESPACE if os.waitpid(child, 0)[1] == 0 else Footing.NOBODY


def preparation(
    *, dies_by: signal.Signals, footing: Footing | None = None, session: bool = True
) -> Callable[[], None]:
    """A ``preexec_fn``: a session of its own, ended by ``dies_by`` when the parent is gone.

    The signal belongs to the *thread* that forks, so children are started from the main thread.
    """
    parent = os.getpid()
    footing = footing or Footing.OWN

    def prepare() -> None:
        if session:
            os.setsid()
        if footing is Footing.NAMESPACE:
            _enter_namespace()
        elif footing is Footing.NOBODY:
            _become_nobody()
        # Last, because a change of user clears it.
        die_with_parent(dies_by, parent=parent)

    return prepare


def die_with_parent(by: signal.Signals, *, parent: int) -> None:
    """Ask the kernel to send us ``by`` when our parent ends. Nothing off Linux."""
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    # The parent may have ended before the line above; inside a namespace it is seen as 0.
    if os.getppid() not in (parent, 0):
        os._exit(1)


def _enter_namespace() -> None:
    assert _LIBC is not None  # noqa: S101 - only reached on Linux
    user, group = os.geteuid(), os.getegid()
    if _LIBC.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{_INSIDE} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{_INSIDE} {group} 1", encoding="ascii")


def _become_nobody() -> None:
    """Change to ``nobody``, who may still pass through root's own folders where that is allowed."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if _LIBC is None:
        return
    mask = 1 << _CAP_DAC_OVERRIDE
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    sets = ctypes.create_string_buffer(struct.pack("=6I", mask, mask, mask, 0, 0, 0))
    # A container may have taken this right away; then the folders must be open to everybody.
    if _LIBC.capset(header, sets) == 0:
        _LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def hand_over(folder: Path, footing: Footing) -> None:
    """Give a folder and all below it to the user that ``footing`` runs as. Only root needs to."""
    if os.geteuid() != 0 or folder.lstat().st_uid == footing.owner:
        return
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, footing.owner, footing.owner)

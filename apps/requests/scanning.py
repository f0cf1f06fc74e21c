"""Ask the installation's scanner about a file: a program, or clamd over TCP."""

import shlex
import socket
import struct
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT_S = 60.0
_CHUNK = 64 * 1024


class ScannerFailed(Exception):
    """The scanner gave no verdict; it is asked again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``said``: what the scanner calls it, in its own words."""

    is_clean: bool
    said: str


def is_set() -> bool:
    """Whether there is a scanner; without one a file counts as clean at once."""
    return bool(settings.SCANNER)


def scan(content: bytes) -> Verdict:
    """What the scanner says. Called outside of every transaction.

    ``tcp://host:port`` is clamd; anything else is a program that reads the file from its standard
    input and ends with 0 where it is clean and with 1 where it is not.

    Raises:
        ScannerFailed: It is away, or ended in another way.
    """
    asked = settings.SCANNER
    return _clamd(asked, content) if asked.startswith("tcp://") else _program(asked, content)


def _program(line: str, content: bytes) -> Verdict:
    try:
        done = subprocess.run(  # noqa: S603 - the installation's own setting, not a shell
            shlex.split(line), input=content, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise ScannerFailed(f"the scanner did not run: {type(wrong).__name__}") from wrong
    said = done.stdout.decode(errors="replace").strip()[:200]
    if done.returncode not in {0, 1}:
        raise ScannerFailed(f"the scanner ended with {done.returncode}")
    return Verdict(done.returncode == 0, said)


def _clamd(address: str, content: bytes) -> Verdict:
    """Clamd's INSTREAM. Source: clamd(8), section COMMANDS."""
    parts = urlsplit(address)
    try:
        with socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or 3310), timeout=TIMEOUT_S
        ) as there:
            there.sendall(b"zINSTREAM\0")
            for at in range(0, len(content), _CHUNK):
                piece = content[at : at + _CHUNK]
                there.sendall(struct.pack("!L", len(piece)) + piece)
            there.sendall(struct.pack("!L", 0))
            answer = b""
            while not answer.endswith(b"\0") and (more := there.recv(4096)):
                answer += more
    except OSError as wrong:
        raise ScannerFailed(f"the scanner is away: {type(wrong).__name__}") from wrong
    said = answer.decode(errors="replace").strip("\0 \n")
    if said.endswith("OK"):
        return Verdict(is_clean=True, said="")
    if said.endswith("FOUND"):
        name = said.removeprefix("stream:").removesuffix("FOUND").strip()
        return Verdict(is_clean=False, said=name[:200])
    raise ScannerFailed("the scanner gave no verdict")

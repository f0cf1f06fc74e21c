"""Orders to a running supervisor, over a socket that only its owner can open."""

import http.client
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from config.stack.places import Places
from config.stack.programs import host, port


def is_running(places: Places) -> bool:
    """Whether a supervisor serves this home."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(places.control()))
        except OSError:
            return False
    return True


def order(places: Places, what: str) -> int:
    """Give an order, print what comes back, and return the exit status."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(places.control()))
        except OSError:
            print("Signalbox is not running here: start it with `make up`.", file=sys.stderr)
            return 1
        line.sendall(what.encode() + b"\n")
        for row in line.makefile("r", encoding="utf-8"):
            answer = json.loads(row)
            if answer.get("processes"):
                print(json.dumps(answer["processes"]))
            if "text" in answer:
                print(answer["text"], file=sys.stdout if answer.get("ok", True) else sys.stderr)
            if "ok" in answer:
                return 0 if answer["ok"] else 1
    print("Signalbox stopped before it answered.", file=sys.stderr)
    return 1


def check_health(places: Places) -> int:
    """0 if every supervisor of this home is ready, and the web port, if one is ours, is healthy."""
    controls = sorted(places.runtime.glob("control*"))
    answers = [_status(path) for path in controls]
    if not answers or not all(answer.get("ready") for answer in answers):
        print("Signalbox is not ready here.", file=sys.stderr)
        return 1
    if any("web" in answer["processes"] for answer in answers):
        address = host() if host() not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
        line = http.client.HTTPConnection(address, port(), timeout=5)
        name = (os.environ.get("SIGNALBOX_HOSTS") or "127.0.0.1").split(",")[0].strip().lstrip(".*")
        try:
            line.request("GET", "/healthz", headers={"Host": name or "127.0.0.1"})
            status = line.getresponse().status
        except OSError as error:
            print(f"The web port does not answer: {error}", file=sys.stderr)
            return 1
        if status != 200:
            print(f"/healthz answered {status}.", file=sys.stderr)
            return 1
    return 0


def _status(path: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        try:
            line.connect(str(path))
            line.sendall(b"status\n")
            answer: dict[str, Any] = json.loads(line.makefile("r", encoding="utf-8").readline())
        except (OSError, ValueError):
            return {}
    return answer

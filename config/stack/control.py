"""Orders to a running supervisor, over a socket that only its owner can open."""

import json
import socket
import sys

from config.stack.places import Places


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

"""How log lines look: one line for a person in embedded mode, one JSON object else."""

import json
import logging
import re
from datetime import UTC, datetime

#: Addresses that are keys: of a mail's link to a decision, an invitation, a new password.
_KEYS = re.compile(r"(/(?:decide|invitation|password/reset)/)[A-Za-z0-9_.:~=-]{16,}")


def without_keys(text: str) -> str:
    """The same without the values of links that are keys; a log is read by more than one."""
    return _KEYS.sub(r"\1…", text)


class LineFormatter(logging.Formatter):
    """``12:00:00 INFO apps.runs message``; the supervisor puts the process's name before it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ``at level logger message`` and, for a fault, ``trace``."""

    def format(self, record: logging.LogRecord) -> str:
        row = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            row["trace"] = self.formatException(record.exc_info)
        return without_keys(json.dumps(row, ensure_ascii=False))

"""How log lines look: one line for a person in embedded mode, one JSON object else."""

import json
import logging
from datetime import UTC, datetime


class LineFormatter(logging.Formatter):
    """``12:00:00 INFO apps.runs message``; the supervisor puts the process's name before it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s", "%H:%M:%S")


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
        return json.dumps(row, ensure_ascii=False)

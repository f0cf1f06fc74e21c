"""Read stored commands: the one place that knows their JSON."""

from collections.abc import Mapping
from typing import Any

from apps.engine import events as ev
from apps.runs.wanted import LoadedRun


def read_command(kind: str, payload: Mapping[str, Any], run: LoadedRun) -> ev.Command:
    """The engine's command for a stored row."""
    match kind:
        case "start" | "admit":
            replay = ev.RunReplayed(**payload["replay"]) if payload.get("replay") else None
            return ev.Start(payload["trigger"], payload.get("started_by") or "", replay)
        case "complete":
            return ev.Complete(
                payload["step"], payload["visit"], payload["port"], payload["output"]
            )
        case "fail" | "skip":
            return ev.Fail(
                payload["step"],
                payload["visit"],
                ev.Error.from_json(payload["error"]),
                payload.get("output"),
                "default" if kind == "skip" else "",
                payload.get("by") or "",
            )
        case "repeat":
            return ev.Repeat(payload["step"], payload["visit"], payload["by"])
        case "retry":
            error = ev.Error.from_json(payload["error"])
            return ev.Retry(
                payload["step"], payload["visit"], payload["attempt"], error, payload["next_at"]
            )
        case "expire":
            return ev.Expire(payload["step"], payload["visit"])
        case "attempt":
            return ev.Attempt(payload["step"], payload["visit"], payload["attempt"])
        case "late":
            return ev.Late(payload["step"], payload["visit"], payload["outcome"])
        case "cancel":
            return ev.Cancel(payload["by"], payload["reason"])
        case "pause":
            return ev.Pause(payload["reason"], payload.get("detail") or "", payload.get("by") or "")
        case "resume":
            return ev.Resume(payload["by"])
        case "continue":
            return ev.Continue()
    raise ValueError(f"Run {run.run_id} has a command of the unknown kind {kind!r}.")

"""Read stored commands: the one place that knows their JSON."""

from collections.abc import Mapping
from typing import Any

from apps.engine import commands as cmd
from apps.engine import events as ev
from apps.runs.wanted import LoadedRun


def read_command(kind: str, payload: Mapping[str, Any], run: LoadedRun) -> cmd.Command:
    """The engine's command for a stored row."""
    match kind:
        case "start" | "admit":
            replay = ev.RunReplayed(**payload["replay"]) if payload.get("replay") else None
            return cmd.Start(payload["trigger"], payload.get("started_by") or "", replay)
        case "complete":
            return cmd.Complete(
                payload["step"], payload["visit"], payload["port"], payload["output"]
            )
        case "fail" | "skip":
            return cmd.Fail(
                payload["step"],
                payload["visit"],
                ev.Error.from_json(payload["error"]),
                payload.get("output"),
                "default" if kind == "skip" else "",
                payload.get("by") or "",
            )
        case "repeat":
            return cmd.Repeat(payload["step"], payload["visit"], payload["by"])
        case "retry":
            error = ev.Error.from_json(payload["error"])
            return cmd.Retry(
                payload["step"], payload["visit"], payload["attempt"], error, payload["next_at"]
            )
        case "expire":
            return cmd.Expire(payload["step"], payload["visit"])
        case "attempt":
            return cmd.Attempt(payload["step"], payload["visit"], payload["attempt"])
        case "late":
            return cmd.Late(payload["step"], payload["visit"], payload["outcome"])
        case "cancel":
            return cmd.Cancel(payload["by"], payload["reason"])
        case "pause":
            return cmd.Pause(
                payload["reason"], payload.get("detail") or "", payload.get("by") or ""
            )
        case "resume":
            return cmd.Resume(payload["by"])
        case "continue":
            return cmd.Continue()
    raise ValueError(f"Run {run.run_id} has a command of the unknown kind {kind!r}.")

"""What the console shows; Django looks for this module."""

from apps.operations.governance import flows, people, trail

__all__ = ["flows", "people", "trail"]

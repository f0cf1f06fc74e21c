"""Published versions, compiled once per process. Versions never change, so nothing expires."""

from functools import lru_cache
from uuid import UUID

from apps.flows.models import FlowVersion
from apps.steps.document import CompiledFlow, compile_flow


def compiled(version_id: UUID) -> CompiledFlow:
    """The version, ready to run; compiled at its first use in this process."""
    return _by_id(version_id)


@lru_cache(maxsize=1024)
def _by_id(version_id: UUID) -> CompiledFlow:
    version = FlowVersion.objects.only("document").get(pk=version_id)
    return compile_flow(version.document)

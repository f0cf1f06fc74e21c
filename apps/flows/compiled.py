"""Documents that are run, compiled once per process. They never change, so nothing expires."""

from functools import lru_cache
from uuid import UUID

from apps.flows.models import FlowVersion, TestDocument
from apps.steps.document import CompiledFlow, compile_flow


def compiled(version_id: UUID) -> CompiledFlow:
    """The version, or what a test runs, ready to run; compiled at its first use in this process."""
    return _by_id(version_id)


@lru_cache(maxsize=1024)
def _by_id(version_id: UUID) -> CompiledFlow:
    version = FlowVersion.objects.only("document").filter(pk=version_id).first()
    if version is not None:
        return compile_flow(version.document)
    return compile_flow(TestDocument.objects.only("runs").get(pk=version_id).runs)

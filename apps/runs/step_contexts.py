"""What a step may use of its run while it is evaluated."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.engine import feel
from apps.engine.state import split_frame
from apps.runs.contexts import part_of
from apps.runs.slice import Slice
from apps.steps.document import cell_source, expression_source


class StepContext:
    """What a pure or waiting step may use; see ``registry.PureContext``."""

    __slots__ = ("_slice", "calendar", "now", "zone")

    def __init__(self, slice_: Slice) -> None:
        self._slice = slice_
        self.now = slice_.now
        self.zone = slice_.run.zone
        self.calendar = slice_.run.calendar

    def evaluate(self, expression: str) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        return self._slice.feel(compiled)

    def matches(self, tests: str, value: Any) -> bool:
        compiled = feel.compile_unary_tests(cell_source(tests))
        context = self._slice.context
        return compiled.hold(value, context, now=self.now, zone=self.zone)

    def requester(self) -> str:
        return self._slice.run.started_by

    def known_to(self, expression: str, but: Sequence[str]) -> Mapping[str, Any]:
        compiled = feel.compile_expression(expression_source(expression))
        context = self._slice.context
        paths = (one for one in compiled.paths | compiled.possible_paths if one[0] not in but)
        return part_of(context, paths)


class ItemContext(StepContext):
    """What a scope may use to judge an item; see ``registry.ItemContext``."""

    __slots__ = ("_frame", "failed", "index", "succeeded")

    def __init__(self, slice_: Slice, frame: str, index: int) -> None:
        super().__init__(slice_)
        scope = slice_.state.scopes[split_frame(frame)[0]]
        self._frame = frame
        self.index = index
        self.succeeded = scope.succeeded + 1
        self.failed = scope.failed

    def last_output(self) -> Any:
        return self._slice.contexts.last_output(self._frame)

    def evaluate_with(self, expression: str, names: Mapping[str, Any]) -> Any:
        compiled = feel.compile_expression(expression_source(expression))
        context = {**self._slice.context, **names}
        return compiled.evaluate(context, now=self.now, zone=self.zone)

"""What a publication consists of: the whole draft, or the active version with some changes made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.core.errors import Invalid
from apps.engine.graph import TRIGGER
from apps.steps.changes import Change, applied, differences, together


@dataclass(frozen=True)
class Choice:
    """Which groups of changes, by the places of their first ones, and to which active version."""

    base: int | None
    groups: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """What would be published, and the changes to the active version that it brings."""

    document: Mapping[str, Any]
    changes: list[Change]
    is_whole: bool


def group_id(group: list[Change]) -> str:
    """The name of a group of changes: the place of its first one."""
    return group[0].id


def candidate(
    base: Mapping[str, Any], draft: Mapping[str, Any], choice: Choice | None
) -> Candidate:
    """The whole draft, or ``base`` with what is chosen of the draft.

    Raises:
        Invalid: Something is chosen that does not differ; nothing is chosen though something
            could be; or there is no version yet to which the rest could be left out.
    """
    changes = differences(base, draft)
    if choice is None:
        return Candidate(draft, changes, is_whole=True)
    groups = {group_id(group): group for group in together(changes)}
    if unknown := choice.groups - groups.keys():
        raise Invalid(
            "Some of the chosen changes are not in the draft; look at the changes again.",
            errors=[{"path": "changes", "message": f"No change at {min(unknown)[:200]}."}],
        )
    if choice.groups == groups.keys():
        return Candidate(draft, changes, is_whole=True)
    if not base:
        raise Invalid("The first version is the whole draft; nothing can be left out of it.")
    if not choice.groups:
        raise Invalid(
            "Choose at least one change to publish.",
            errors=[{"path": "changes", "message": "Nothing is chosen."}],
        )
    chosen = [one for id_, group in groups.items() if id_ in choice.groups for one in group]
    made = applied(base, chosen)
    made["layout"] = _places(made, base, draft)
    return Candidate(made, chosen, is_whole=False)


def _places(
    made: Mapping[str, Any], base: Mapping[str, Any], draft: Mapping[str, Any]
) -> dict[str, Any]:
    """Where the cards stand in the draft, else where they stood; what nobody sees has no place."""
    steps = made.get("steps")
    shown = {TRIGGER, *(steps if isinstance(steps, Mapping) else ())}
    both = [layout for one in (base, draft) if isinstance(layout := one.get("layout"), Mapping)]
    return {id_: place for layout in both for id_, place in layout.items() if id_ in shown}

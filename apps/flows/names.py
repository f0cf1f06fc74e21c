"""What may be a flow's name."""

from apps.core.errors import Invalid
from apps.flows.models import MAX_NAME
from apps.steps.texts import CONTROL


def checked_name(name: str) -> str:
    """The name without the spaces around it.

    Raises:
        Invalid: It is no name.
    """
    fault = name_fault(name)
    if fault is not None:
        raise Invalid(fault, errors=[{"path": "name", "message": fault}])
    return name.strip()


def name_fault(name: str) -> str | None:
    """What keeps a text from being a flow's name. Markup does not: it is shown as text."""
    if not name.strip():
        return "Give the flow a name."
    if len(name.strip()) > MAX_NAME:
        return f"A name has at most {MAX_NAME} characters; this one has {len(name.strip())}."
    if CONTROL.search(name):
        return "A name is one line of text; take line breaks and hidden signs out."
    return None

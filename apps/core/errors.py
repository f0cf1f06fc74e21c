"""The base of every foreseen error. Messages are for the user: expected, found, what to do."""

from typing import Any


class ProductError(Exception):
    """A foreseen refusal; ``core.http`` answers it as problem+json.

    ``fields`` go into the answer beside ``code`` and ``detail``.
    """

    code = "refused"
    status = 400

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class NotFound(ProductError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"
    status = 404


class Forbidden(ProductError):
    """The caller may see the thing but not do this to it."""

    code = "forbidden"
    status = 403


class Conflict(ProductError):
    """The thing has changed, or is in a state that does not allow this."""

    code = "conflict"
    status = 409


class Invalid(ProductError):
    """What was sent does not fit; ``errors`` may list ``{path, message}``."""

    code = "invalid"
    status = 422


class PreconditionRequired(ProductError):
    """A change came without ``If-Match``."""

    code = "if_match_required"
    status = 428


class PreconditionFailed(ProductError):
    """A change came with the ``If-Match`` of an older revision."""

    code = "stale"
    status = 412


class BadBody(ProductError):
    """The body is not the JSON that is due."""

    code = "bad_json"
    status = 422


class BodyTooLarge(ProductError):
    """More was sent than any request may have."""

    code = "too_large"
    status = 413

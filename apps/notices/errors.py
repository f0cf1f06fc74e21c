"""What sending may end with beside success."""


class GivenUp(Exception):
    """Trying again cannot help; the text says why, to the reader of the log."""


class NotTaken(Exception):
    """The other side did not take it, but may later; the text says so, to the reader of the log."""

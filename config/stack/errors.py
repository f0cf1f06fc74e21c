"""What the stack's commands refuse to do; each message is a sentence that says what to do."""


class Refusal(Exception):
    """The command cannot be carried out as things are."""


class KeysMissing(Refusal):
    """The data is here and the keys that belong to it are not."""


class StartFailed(Refusal):
    """A process did not come up."""


class BackupFailed(Refusal):
    """The copy was not made, or could not be put back."""

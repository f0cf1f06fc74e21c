"""The keys of embedded mode: made on the first start, kept in files only we can read.

They are not in the database and not in a backup: who has a copy of the data still cannot read
its secrets nor sign its trail.
"""

import hashlib
import os
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping

from config.stack.errors import KeysMissing
from config.stack.places import Places

DEMO_PASSWORD = "SIGNALBOX_DEMO_PASSWORD"  # noqa: S105 - a variable's name
_FILES = {
    "SIGNALBOX_SECRET_KEY": "secret_key",
    "SIGNALBOX_ENCRYPTION_KEYS": "encryption_keys",
    "SIGNALBOX_SIGNING_KEY": "signing_key",
}


def keys(places: Places) -> dict[str, str]:
    """The variables with the keys; what the environment already sets is left out.

    Raises:
        KeysMissing: Fresh keys would make the stored secrets unreadable for ever.
    """
    wanted = {name: file for name, file in _FILES.items() if not os.environ.get(name)}
    missing = [file for file in wanted.values() if not (places.keys / file).exists()]
    if missing and (places.cluster.data / "PG_VERSION").exists():
        raise KeysMissing(
            f"{places.home} holds data but not its keys ({', '.join(missing)}): put the files back"
            f" into {places.keys}, or set {', '.join(wanted)}."
        )
    found = {name: _kept(places, file, _random_key) for name, file in wanted.items()}
    if not os.environ.get(DEMO_PASSWORD):
        found[DEMO_PASSWORD] = _kept(places, "demo_password", lambda: secrets.token_urlsafe(9))
    return found


def key_marks(environ: Mapping[str, str], places: Places | None = None) -> dict[str, str]:
    """What tells two sets of keys apart without giving them away: a short hash of each.

    Raises:
        KeysMissing: Neither the environment nor the home has them.
    """
    marks = {}
    for name, file in _FILES.items():
        value = environ.get(name, "")
        if not value and places and (places.keys / file).exists():
            value = (places.keys / file).read_text(encoding="ascii").strip()
        if not value:
            raise KeysMissing(f"{name} is not set.")
        marks[name] = hashlib.sha256(b"signalbox key mark\0" + value.encode()).hexdigest()[:16]
    return marks


def _kept(places: Places, name: str, make: Callable[[], str]) -> str:
    path = places.keys / name
    places.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        new = path.with_name(f".{name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    return path.read_text(encoding="ascii").strip()


def _random_key() -> str:
    """32 random bytes in base64, of letters that both of its alphabets share."""
    while True:
        key = b64encode(secrets.token_bytes(32)).decode()
        if not set(key) & {"+", "/"}:
            return key

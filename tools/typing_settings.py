"""The settings that the type checker loads: the real ones, with stand-ins for keys.

Nothing is opened and no key here is ever used; ``config.settings`` refuses to load without them.
"""

import os

os.environ.setdefault("SIGNALBOX_ENV", "embedded")
os.environ.setdefault("SIGNALBOX_SECRET_KEY", "type-checking-only")
os.environ.setdefault("SIGNALBOX_ENCRYPTION_KEYS", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
os.environ.setdefault("SIGNALBOX_SIGNING_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
os.environ.setdefault("DATABASE_URL", "postgresql:///unused")
os.environ.setdefault("REDIS_URL", "unix:///unused")

from config.settings import *  # noqa: F403

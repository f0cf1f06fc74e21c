"""Where signed-in browsers are remembered: our own table, keys hashed, ended by one statement.

Named by ``SESSION_ENGINE``. Real time counts here, not business time: a test that moves the
clock by two days does not sign everybody out.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Session

#: A browser not seen for this long is signed out; ``SESSION_COOKIE_AGE`` is the end in any case.
IDLE = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)


class SessionStore(SessionBase):
    """One browser's session. ``ip`` and ``user_agent`` are written when its row is made."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self.row_id: UUID | None = None
        self.last_seen_at = timezone.now()
        self.ip: str | None = None
        self.user_agent = ""

    def load(self) -> dict[str, Any]:
        """Read the row. An expired or long unused one is as good as none."""
        now = timezone.now()
        row = Session.objects.filter(
            session_key=hashed(self.session_key or ""),
            expire_date__gt=now,
            last_seen_at__gt=now - IDLE,
        ).first()
        if row is None:
            self._session_key = None
            return {}
        self.row_id, self.last_seen_at = row.id, row.last_seen_at
        self.ip, self.user_agent = row.ip, row.user_agent
        return self.decode(row.session_data)

    def exists(self, session_key: str) -> bool:
        """Whether there is a row under this key."""
        return Session.objects.filter(session_key=hashed(session_key)).exists()

    def create(self) -> None:
        """Take a new random key and write the row at once."""
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined] # not in the stubs
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Write the data. The end of a session is fixed when its row is made, never moved.

        Raises:
            CreateError: The key is taken.
            UpdateError: The session was ended meanwhile; it stays ended.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined] # not in the stubs
        key = hashed(self._get_or_create_session_key())  # type: ignore[attr-defined] # not in the stubs
        columns = {"session_data": self.encode(data), "user_id": data.get(SESSION_KEY)}
        if not must_create:
            if not Session.objects.filter(session_key=key).update(**columns):
                raise UpdateError
            return
        row = Session(
            session_key=key,
            expire_date=self.get_expiry_date(),
            ip=self.ip,
            user_agent=self.user_agent[:200],
            **columns,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error
        self.row_id, self.last_seen_at = row.id, row.last_seen_at

    def delete(self, session_key: str | None = None) -> None:
        """End this session, or the one named."""
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=hashed(key)).delete()

    def touch(self) -> None:
        """Note that the browser was seen, at most once a minute."""
        now = timezone.now()
        if self.row_id is None or self.last_seen_at > now - TOUCH_EVERY:
            return
        self.last_seen_at = now
        Session.objects.filter(id=self.row_id, last_seen_at__lt=now).update(last_seen_at=now)

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the rows nobody can use any more."""
        now = timezone.now()
        Session.objects.filter(expire_date__lte=now).delete()
        Session.objects.filter(last_seen_at__lte=now - IDLE).delete()


def hashed(session_key: str) -> str:
    """What the table keeps in place of the cookie's value."""
    return hashlib.sha256(session_key.encode()).hexdigest()

"""``manage.py first_admin EMAIL``: the first person, on a machine that has none."""

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.accounts.commands import make_first_admin, set_first_password
from apps.core import clock
from apps.core.errors import ProductError


class Command(BaseCommand):
    """Makes the owner of the installation; asks for a password unless there is one."""

    help = (
        "Make this person the installation's owner and an administrator of its first workspace."
        " The password is asked for, read from standard input, or from SIGNALBOX_ADMIN_PASSWORD."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--workspace", default="main", help="its short name; made if missing")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                now = clock.now()
                user = make_first_admin(
                    email=options["email"], workspace=options["workspace"], now=now
                )
                if not user.has_usable_password():
                    set_first_password(user=user, new=_password(), now=now)
        except (ProductError, ValidationError) as refused:
            raise CommandError(getattr(refused, "message", str(refused))) from None
        self.stdout.write(f"{user.email} can sign in at {settings.PUBLIC_URL}/sign-in/")


def _password() -> str:
    given = os.environ.get("SIGNALBOX_ADMIN_PASSWORD")
    if given:
        return given
    if sys.stdin.isatty():
        first = getpass.getpass("Password (at least 12 characters): ")
        if first != getpass.getpass("Once more: "):
            raise CommandError("The two passwords differ.")
        return first
    return sys.stdin.readline().rstrip("\n")

"""``manage.py issue_token EMAIL``: make an API token from the machine itself."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.commands import create_token
from apps.accounts.models import User
from apps.accounts.queries import actor_of_user, get_workspace_of
from apps.core import clock
from apps.core.errors import ProductError


class Command(BaseCommand):
    """Prints the token as the last word; it is shown nowhere else."""

    help = "Make an API token that acts as this person. The token is the last word printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--scope",
            action="append",
            dest="scopes",
            help="a right the token is limited to, such as flow.view; may be repeated",
        )
        parser.add_argument("--days", type=int, help="how long it works; else until revoked")
        parser.add_argument("--workspace", help="its short name; else the person's first")
        parser.add_argument("--name", default="manage.py issue_token", help="what it is for")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError(f"There is no account {options['email']}.")
        try:
            slug = options["workspace"]
            workspace_id = get_workspace_of(user, slug).pk if slug else None
            actor = actor_of_user(user, workspace_id)
            if actor is None:
                raise CommandError(f"{user.email} is not an active member of any workspace.")
            token, value = create_token(
                actor=actor,
                name=options["name"],
                scopes=options["scopes"],
                days=options["days"],
                now=clock.now(),
            )
        except ProductError as refused:
            raise CommandError(refused.message) from None
        until = f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "until revoked"
        self.stdout.write(f"Token for {user.email} in {actor.workspace_slug}, {until}: {value}")

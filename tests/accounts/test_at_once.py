"""What two requests at the same moment must not be able to do. Really committed, in threads."""

import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from apps.accounts import commands, throttle
from apps.accounts.models import Invitation, Membership, User
from apps.audit.models import AuditEvent
from apps.core import clock, outbox
from apps.core.errors import ProductError
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls):
    """Run all at the same moment; what each returned or was refused with."""
    results: list[Any] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(index, call):
        gate.wait(10)
        try:
            results[index] = call()
        except ProductError as refused:
            results[index] = refused
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_two_administrators_cannot_remove_each_other():
    acme = people.make_workspace()
    ann, bo = (people.person(acme, "admin", email=f"{name}@acme.test") for name in ("ann", "bo"))

    def remove(by, whom):
        # Whoever asks is known before: a removed person would not get as far as the command.
        member, actor = Membership.objects.get(user=whom), people.actor(by)
        return lambda: commands.change_member(
            actor=actor, membership_id=member.pk, is_active=False, now=clock.now()
        )

    results = at_once(remove(ann, bo), remove(bo, ann))

    refused = [one for one in results if isinstance(one, commands.LastAdministrator)]
    assert len(refused) == 1
    assert Membership.objects.filter(is_active=True).count() == 1


def test_an_invitation_is_accepted_once():
    acme = people.make_workspace()
    admin = people.person(acme, "admin")
    commands.invite_member(
        actor=people.actor(admin), email="new@acme.test", roles=["viewer"], now=clock.now()
    )
    outbox.relay()
    value = str(mail.outbox[-1].body).partition("/invitation/")[2].partition("/")[0]

    results = at_once(
        *[
            lambda name=name: commands.accept_invitation(
                token=value, name=name, password=people.PASSWORD, now=clock.now()
            )
            for name in ("One", "Two", "Three")
        ]
    )

    assert len([one for one in results if isinstance(one, User)]) == 1
    assert User.objects.filter(email="new@acme.test").count() == 1
    assert Invitation.objects.get().accepted_at
    assert (
        AuditEvent.objects.filter(
            verb="member.join", target_id=str(User.objects.get(email="new@acme.test").pk)
        ).count()
        == 1
    )


def test_many_tries_at_once_do_not_slip_through_the_throttle():
    limit = throttle.LIMITS["sign_in.account"].tries

    results = at_once(
        *[
            lambda: throttle.take({"sign_in.account": "ann@acme.test"}, timezone.now())
            for _ in range(limit + 4)
        ]
    )

    assert len([one for one in results if isinstance(one, throttle.TooManyTries)]) == 4


def test_two_invitations_to_one_address_leave_one_open():
    acme = people.make_workspace()
    admin = people.person(acme, "admin")

    def invite():
        return commands.invite_member(
            actor=people.actor(admin), email="new@acme.test", roles=["viewer"], now=clock.now()
        )

    at_once(invite, invite)

    assert Invitation.objects.filter(revoked_at=None, accepted_at=None).count() == 1

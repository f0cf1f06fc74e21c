"""Tasks of flows whose risk is known, and what leaves the house about them."""

import re

from django.core import mail
from django.test import Client

from apps.core import outbox
from apps.inbox.models import UserTask
from apps.runs.drive import drive_all
from tests.inbox.support import approval


def ask(desk, *names, risk="low", **config):
    """A task put to these people by name."""
    users = [desk.someone(name).email for name in names]
    asked = approval(assignees={"users": users, "groups": []}, **config)
    version = desk.publish({**asked, "settings": {"risk": risk} if risk else {}})
    run_id = desk.start(version, {"amount": 120})
    drive_all()
    return UserTask.objects.get(run_id=run_id)


def relay():
    """What the housekeeping worker does, until nothing is due."""
    while outbox.relay():
        pass


def mails_to(user):
    return [one for one in mail.outbox if one.to == [user.email]]


def link_in(sent):
    """The path of a mail's link to a decision; empty where it has none."""
    found = re.search(r"https?://[^/\s]+(/decide/[^/\s]+/)", sent.body)
    return found[1] if found else ""


def link_to(desk, name):
    """The newest link that somebody was sent."""
    relay()
    return link_in(mails_to(desk.someone(name))[-1])


class Visitor:
    """A browser in which nobody is signed in, held to CSRF."""

    def __init__(self, client=None):
        self.client = client or Client(enforce_csrf_checks=True)

    def form(self, path):
        """What the page's form would send beside the answer."""
        source = self.client.get(path).content.decode()
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', source))

    def decide(self, path, outcome="approved", **changed):
        """Open the link and send its form, with what is changed in it."""
        return self.send({**self.form(path), "outcome": outcome, "comment": "ok", **changed})

    def send(self, form):
        return self.client.post("/decide/", {name: one for name, one in form.items() if one})

"""Tasks of flows whose risk is known, and what leaves the house about them."""

import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
    """What the housekeeping worker does, until nothing is due just now."""
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


@dataclass
class Got:
    """One call as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Takes what is sent to it on 127.0.0.1; ``answers`` are its next statuses, then 201."""

    def __init__(self):
        self.got: list[Any] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.got.append(Got(self.path, headers, body))
                status = outer.answers.pop(0) if outer.answers else 201
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

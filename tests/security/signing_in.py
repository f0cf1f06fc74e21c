"""Ann at the doors: signs in, opens her mail; and what the trail says of it."""

from django.conf import settings
from django.core import mail

from apps.audit.models import AuditCounter, AuditEvent
from tests.support.people import PASSWORD

NEW = "eleven other green lamps"


def sign_in(client, email="ann@acme.test", password=PASSWORD, **more):
    return client.post("/sign-in/", {"email": email, "password": password, **more})


def verbs():
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


def counted():
    return dict(AuditCounter.objects.values_list("key", "count"))


def session_of(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def link_in_mail():
    text = str(mail.outbox[-1].body)
    [line] = [line for line in text.splitlines() if line.startswith("http")]
    return line.removeprefix(settings.PUBLIC_URL)

"""security.md, "Outgoing calls": the addresses that an administrator opens."""

import pytest
from django.conf import settings

from apps.audit.models import AuditEvent
from apps.connections import commands, queries
from apps.connections.models import AllowedHost
from apps.connections.outgoing import OutgoingClient, Refused
from apps.core import clock
from tests.support import people
from tests.support.servers import response, serving


@pytest.mark.django_db
class TestAllowList:
    @pytest.fixture
    def boss(self, admin):
        return people.actor(admin)

    def allow(self, boss, host, port):
        return commands.allow_host(
            actor=boss, host=host, port=port, reason="test receiver", now=clock.now()
        )

    def test_it_names_host_and_port(self, acme, boss):
        with serving(response(b"in")) as server, serving(response(b"no")) as wrong_port:
            self.allow(boss, "127.0.0.1", server.port)
            guarded = OutgoingClient(acme.pk)

            answer = guarded.request("GET", f"http://127.0.0.1:{server.port}/")
            with pytest.raises(Refused):
                guarded.request("GET", f"http://127.0.0.1:{wrong_port.port}/")
            with pytest.raises(Refused):
                guarded.request("GET", f"http://localhost:{server.port}/")

        assert answer.content == b"in"

    def test_it_is_the_workspaces_own(self, acme, other, boss):
        self.allow(boss, "127.0.0.1", 9999)

        assert queries.is_allowed_host(acme.pk, "127.0.0.1", 9999)
        assert not queries.is_allowed_host(other.pk, "127.0.0.1", 9999)

    def test_it_is_the_administrators_and_audited(self, acme, admin, builder):
        body = {"host": "ERP.internal.", "port": 8443, "reason": "orders"}
        at, builders = people.browser(admin), people.browser(builder)

        assert people.send(builders, "POST", "/api/v1/allowed-hosts/", body).status_code == 403
        made = people.send(at, "POST", "/api/v1/allowed-hosts/", body)
        assert made.status_code == 201
        assert made.json()["host"] == "erp.internal"
        assert _last_verb() == "host.allow"
        path = f"/api/v1/allowed-hosts/{made.json()['id']}/"
        assert people.send(builders, "DELETE", path).status_code == 403
        assert people.send(at, "POST", "/api/v1/allowed-hosts/", body).status_code == 409
        assert [
            row["port"] for row in builders.get("/api/v1/allowed-hosts/").json()["results"]
        ] == [8443]
        assert people.send(at, "DELETE", path).status_code == 204
        assert _last_verb() == "host.remove"
        assert people.send(at, "DELETE", path).status_code == 404

    @pytest.mark.parametrize(
        ("host", "port", "code"),
        [
            ("169.254.169.254", 80, "own_address"),
            ("0.0.0.0", 80, "own_address"),
            ("::ffff:10.0.0.1", 80, "own_address"),
            ("2130706433", 80, "invalid"),
            ("a b", 80, "invalid"),
            ("erp.internal", 0, "invalid"),
            ("erp.internal", 65536, "invalid"),
            ("", 80, "invalid"),
            ("erp.internal", "x", "invalid"),
        ],
    )
    def test_what_cannot_be_on_it(self, acme, admin, host, port, code):
        answer = people.send(
            people.browser(admin),
            "POST",
            "/api/v1/allowed-hosts/",
            {"host": host, "port": port, "reason": "r"},
        )

        assert answer.status_code == 422
        assert answer.json()["code"] == code

    def test_the_products_own_port_is_never_allowed(self, acme, boss):
        """Not by the command, and not where a row for it was put in by other means."""
        with pytest.raises(commands.OwnAddress):
            self.allow(boss, "127.0.0.1", settings.PORT)
        apps_row = AllowedHost(
            workspace_id=acme.pk, host="127.0.0.1", port=settings.PORT, reason="smuggled"
        )
        apps_row.save()

        with pytest.raises(Refused):
            OutgoingClient(acme.pk).request("GET", f"http://127.0.0.1:{settings.PORT}/")

    def test_a_stranger_gets_404(self, acme, other, boss):
        row = self.allow(boss, "erp.internal", 443)
        stranger = people.browser(people.person(other, "admin", email="boss@other.test"))

        answer = people.send(stranger, "DELETE", f"/api/v1/allowed-hosts/{row.pk}/")

        assert answer.status_code == 404


def _last_verb():
    return AuditEvent.objects.order_by("-id").values_list("verb", flat=True).first()

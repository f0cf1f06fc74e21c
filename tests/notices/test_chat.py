"""A chat's incoming messages: one's own and the workspace's; the address is a secret."""

import json

import pytest

from apps.connections.models import AllowedHost
from apps.core import clock
from apps.inbox.telling import tell_about, tell_assignees
from apps.notices.models import ChatHook, Delivery, Kind
from tests.inbox.support import move_clock
from tests.notices.support import Receiver, ask, relay
from tests.support import people

pytestmark = pytest.mark.django_db
OWN = "/api/v1/me/notifications/chat/"
ALL = "/api/v1/chat/"
SECRET = "/services/T000/B000/planted-key"


@pytest.fixture
def chat(desk):
    with Receiver() as one:
        AllowedHost.objects.create(
            workspace=desk.workspace, host="127.0.0.1", port=one.port, reason="test"
        )
        yield one


def address(chat):
    return f"http://127.0.0.1:{chat.port}{SECRET}"


def own(desk, chat, name="ada"):
    browser = people.browser(desk.someone(name))
    return people.send(browser, "PUT", OWN, {"url": address(chat)})


def whole(desk, chat, **sent):
    admin = people.browser(desk.someone("admin", "admin"))
    body = {"url": address(chat), "with_titles": True, "groups": ["tasks"], **sent}
    return people.send(admin, "PUT", ALL, {k: v for k, v in body.items() if v is not None})


def texts(chat):
    return [json.loads(one.body)["text"] for one in chat.got]


class TestOnesOwn:
    def test_is_told_what_to_do_by_when_and_where(self, desk, chat):
        assert own(desk, chat).json() == {"host": f"127.0.0.1:{chat.port}"}
        task = ask(desk, "ada")
        relay()
        [got] = chat.got
        assert got.path == SECRET
        assert got.headers["content-type"].startswith("application/json")
        assert set(json.loads(got.body)) == {"text"}
        [text] = texts(chat)
        assert "A decision is put to you." in text
        assert "Approve the order" in text
        assert "There is time until" in text
        assert f"/inbox/{task.pk}/" in text
        # Whoever reads along in the channel may look, not decide.
        assert "/decide/" not in text
        assert "120" not in text.replace(str(task.pk), "")

    def test_makes_nothing_of_what_stands_in_a_title(self, desk, chat):
        own(desk, chat)
        ask(desk, "ada", title='= "<!channel> @here [press](https://evil.test) <https://e.test|x>"')
        relay()
        [text] = texts(chat)
        assert "<!channel>" not in text
        assert "@here" not in text
        assert "](" not in text
        assert "<http" not in text

    def test_is_tried_again_where_it_is_busy_and_given_up_where_it_refuses(self, desk, chat):
        own(desk, chat)
        chat.answers = [503, 200, 404]
        ask(desk, "ada")
        relay()
        row = Delivery.objects.get(channel="chat")
        assert (row.state, row.last_error) == ("waiting", "The chat answered 503.")
        move_clock(minutes=1)
        relay()
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("sent", 2)
        ask(desk, "ada")
        relay()
        last = Delivery.objects.filter(channel="chat").latest("id")
        assert last.state == "failed"
        assert last.last_error == "The chat refused it with 404; check its address."

    def test_is_told_no_more_once_it_is_taken_away(self, desk, chat):
        own(desk, chat)
        tell_assignees({"task": str(ask(desk, "ada").pk)})
        browser = people.browser(desk.someone("ada"))
        assert people.send(browser, "DELETE", OWN).status_code == 204
        relay()
        assert chat.got == []
        assert Delivery.objects.get(channel="chat").state == "failed"
        assert people.send(browser, "DELETE", OWN).status_code == 404

    def test_is_sent_a_test(self, desk, chat):
        own(desk, chat)
        browser = people.browser(desk.someone("ada"))
        people.send(browser, "POST", "/api/v1/me/notifications/test/", {"channel": "chat"})
        relay()
        assert "This is a test that you asked for." in texts(chat)[0]

    def test_speaks_german_to_a_german(self, desk, chat):
        ada = desk.someone("ada")
        ada.language = "de"
        ada.save()
        own(desk, chat)
        ask(desk, "ada")
        relay()
        assert "Sie werden um eine Entscheidung gebeten." in texts(chat)[0]


class TestTheWorkspaces:
    def test_is_told_once_however_many_are_asked(self, desk, chat):
        assert whole(desk, chat).json()["chat"]["groups"] == ["tasks"]
        task = ask(desk, "ada", "bob", "cleo", rule={"n": 2})
        relay()
        [text] = texts(chat)
        assert f"/inbox/{task.pk}/" in text

    def test_is_told_of_the_groups_that_were_chosen_alone(self, desk, chat):
        whole(desk, chat, groups=["limits"])
        task = ask(desk, "ada")
        relay()
        assert chat.got == []
        tell_about(task, [desk.someone("ada")], kind=Kind.REMIND, key="r", now=clock.now())
        relay()
        assert len(chat.got) == 1

    def test_names_no_title_where_that_is_chosen(self, desk, chat):
        whole(desk, chat, with_titles=False)
        ask(desk, "ada", title="Pay Ms Rossi")
        relay()
        [text] = texts(chat)
        assert "Rossi" not in text
        assert "A decision waits for you." in text

    def test_is_not_told_what_was_decided_meanwhile(self, desk, chat):
        whole(desk, chat)
        task = ask(desk, "ada", "bob")
        tell_assignees({"task": str(task.pk)})
        assert Delivery.objects.filter(notice__user__isnull=True).count() == 1
        desk.decide(task, desk.someone("bob"))
        relay()
        assert chat.got == []

    def test_keeps_its_address_where_only_the_choice_changes(self, desk, chat):
        whole(desk, chat)
        whole(desk, chat, url=None, groups=["tasks", "alerts"])
        ask(desk, "ada")
        relay()
        assert len(chat.got) == 1
        assert ChatHook.objects.get().groups == ["tasks", "alerts"]

    def test_has_a_test_and_a_log_with_another_try_for_who_keeps_it(self, desk, chat):
        whole(desk, chat)
        admin = people.browser(desk.someone("admin", "admin"))
        chat.answers = [400]
        people.send(admin, "POST", f"{ALL}test/")
        relay()
        [line] = admin.get(f"{ALL}deliveries/").json()["results"]
        assert (line["state"], line["channel"]) == ("failed", "chat")
        retry = f"/api/v1/deliveries/{line['id']}/retry/"
        nobody = people.browser(desk.someone("ada"))
        assert people.send(nobody, "POST", retry).status_code in {403, 404}
        assert people.send(admin, "POST", retry).status_code == 200
        relay()
        assert len(chat.got) == 2
        assert admin.get(f"{ALL}deliveries/").json()["results"][0]["state"] == "sent"

    def test_is_the_administrators_alone(self, desk, chat):
        for role in ("viewer", "builder", "operator", "approver", "auditor"):
            browser = people.browser(desk.someone(role, role))
            assert browser.get(ALL).status_code == 403
            body = {"url": address(chat), "with_titles": True, "groups": ["tasks"]}
            assert people.send(browser, "PUT", ALL, body).status_code == 403
            assert people.send(browser, "DELETE", ALL).status_code == 403
        assert not ChatHook.objects.exists()

    @pytest.mark.parametrize("groups", [[], ["gossip"], ["tasks", "gossip"], "tasks", None])
    def test_is_refused_without_a_group_that_there_is(self, desk, chat, groups):
        assert whole(desk, chat, groups=groups).status_code in {400, 422}


class TestItsAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:9/x",
            "http://169.254.169.254/",
            "https://localhost/hook",
            "https://[fd00:ec2::254]/",
            "http://9.9.9.9/plain",
            "https://user:word@9.9.9.9/",
            "file:///etc/passwd",
            "chat.example.com/hook",
            "https://9.9.9.9/a b",
            "",
        ],
    )
    def test_is_refused_where_it_leads_inside_or_is_read_along(self, desk, url):
        ada = people.browser(desk.someone("ada"))
        assert people.send(ada, "PUT", OWN, {"url": url}).status_code in {400, 422}
        admin = people.browser(desk.someone("admin", "admin"))
        body = {"url": url, "with_titles": True, "groups": ["tasks"]}
        assert people.send(admin, "PUT", ALL, body).status_code in {400, 422}
        assert not ChatHook.objects.exists()

    def test_is_shown_and_kept_nowhere(self, desk, chat, caplog):
        own(desk, chat)
        whole(desk, chat)
        chat.answers = [500, 500]
        ask(desk, "ada")
        relay()
        ada, admin = (people.browser(desk.someone(*who)) for who in (("ada",), ("admin", "admin")))
        seen = [
            ada.get("/api/v1/me/notifications/").content.decode(),
            ada.get("/api/v1/me/notifications/deliveries/").content.decode(),
            admin.get(ALL).content.decode(),
            admin.get(f"{ALL}deliveries/").content.decode(),
            json.dumps([one.values for one in desk.trail("chat.set")], default=str),
            str(list(Delivery.objects.values_list("last_error"))),
            str([bytes(one.sealed) for one in ChatHook.objects.all()]),
            caplog.text,
        ]
        assert len(desk.trail("chat.set")) == 2
        for text in seen:
            assert "planted-key" not in text

    def test_that_leads_inside_once_it_is_kept_is_not_called(self, desk, chat):
        own(desk, chat)
        AllowedHost.objects.all().delete()
        ask(desk, "ada")
        relay()
        assert chat.got == []
        assert "inside a private network" in Delivery.objects.get(channel="chat").last_error

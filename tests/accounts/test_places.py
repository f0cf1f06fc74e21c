"""Where people stand: managers, deputies and departments over time, from a page or from a file."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts import commands, places
from apps.accounts.commands import Place
from apps.accounts.commands.importing import LARGEST, NoTable
from apps.accounts.models import Membership
from apps.audit.models import AuditEvent
from apps.core import clock
from apps.core.errors import Forbidden, Invalid
from tests.support import people

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()


class World:
    def __init__(self):
        self.workspace = people.make_workspace("acme")
        self.boss = self.actor("boss", "admin")

    def member(self, name, *roles):
        email = f"{name}@acme.test"
        found = Membership.objects.filter(workspace=self.workspace, user__email=email).first()
        if found is None:
            people.person(self.workspace, *(roles or ("approver",)), email=email)
            found = Membership.objects.get(workspace=self.workspace, user__email=email)
        return found

    def actor(self, name, *roles):
        return people.actor(self.member(name, *roles).user, self.workspace)

    def place(self, name, day=None, now=NOON, by=None, **place):
        fields = {
            f"{what}_id" if what in {"manager", "deputy"} else what: (
                self.member(value).pk if what in {"manager", "deputy"} else value
            )
            for what, value in place.items()
        }
        return commands.place_member(
            actor=by or self.boss,
            membership_id=self.member(name).pk,
            begins_on=day,
            place=Place(**fields),
            now=now,
        )

    def manager(self, name, day):
        found = places.manager_on(self.workspace.pk, f"{name}@acme.test", day)
        return found.email.partition("@")[0] if found else None

    def preview(self, text, now=NOON):
        content = text if isinstance(text, bytes) else text.encode()
        return commands.preview_import(actor=self.boss, content=content, now=now)

    def apply(self, text, **more):
        more = {"skip_bad": False, "reason": "", **more}
        return commands.import_people(actor=self.boss, content=text.encode(), now=NOON, **more)

    def trail(self, verb):
        return AuditEvent.objects.filter(workspace_id=self.workspace.pk, verb=verb)


@pytest.fixture
def world(db):
    return World()


def test_who_led_on_a_day_can_be_read_after_the_change(world):
    world.place("ada", manager="bob")
    world.place("ada", TODAY + timedelta(days=30), manager="cleo")

    assert world.manager("ada", TODAY - timedelta(days=1)) is None
    assert world.manager("ada", TODAY) == "bob"
    assert world.manager("ada", TODAY + timedelta(days=29)) == "bob"
    assert world.manager("ada", TODAY + timedelta(days=30)) == "cleo"
    assert world.trail("member.place").count() == 2


def test_what_has_been_cannot_be_changed(world):
    world.place("ada", TODAY - timedelta(days=400), manager="bob")

    with pytest.raises(Invalid, match="today or later"):
        world.place("ada", TODAY - timedelta(days=10), manager="cleo")

    assert world.manager("ada", TODAY) == "bob"


def test_nobody_leads_themself_through_others_even_from_a_later_day_on(world):
    world.place("ada", manager="bob")
    world.place("bob", TODAY + timedelta(days=10), manager="cleo")

    with pytest.raises(commands.CircleOfManagers, match=f"From {TODAY + timedelta(days=10)}"):
        world.place("cleo", manager="ada")
    with pytest.raises(Invalid, match="their own manager"):
        world.place("ada", manager="ada")

    assert world.manager("cleo", TODAY) is None


def test_only_who_manages_people_may(world):
    with pytest.raises(Forbidden):
        world.place("ada", by=world.actor("bob", "builder"), manager="cleo")


@pytest.mark.parametrize(
    ("place", "words"),
    [({"zone": "Mars/Base"}, "time zone"), ({"department": "x" * 101}, "department")],
)
def test_what_cannot_be_is_refused(world, place, words):
    with pytest.raises(Invalid, match=words):
        world.place("ada", **place)


def test_a_manager_who_has_left_is_refused(world):
    Membership.objects.filter(pk=world.member("bob").pk).update(is_active=False)

    with pytest.raises(Invalid, match="active person"):
        world.place("ada", manager="bob")


def test_a_file_is_told_line_by_line_and_kept_in_one_action(world):
    for name in ("ada", "bob", "cleo"):
        world.member(name)
    text = (
        "mail;department;manager;time_zone;from\n"
        "ada@acme.test;Buying;bob@acme.test;Europe/Berlin;\n"
        "bob@acme.test;Buying;cleo@acme.test;;2026-04-01\n"
    )

    lines = world.preview(text)
    assert [line.problem for line in lines] == ["", ""]
    assert lines[0].changes["manager"] == ["", "bob@acme.test"]
    assert world.manager("ada", TODAY) is None

    world.apply(text, reason="Yearly list")
    assert world.manager("ada", TODAY) == "bob"
    assert world.manager("bob", date(2026, 3, 31)) is None
    assert world.manager("bob", date(2026, 4, 1)) == "cleo"
    assert world.trail("member.import").count() == 1
    assert world.trail("member.place").count() == 2


BAD = [
    ("nobody@acme.test,,,", "There is no person"),
    ("ada@acme.test,,nobody@acme.test,", "There is no manager"),
    ("ada@acme.test,,,31.12.2026", "is not a day"),
    ("ada@acme.test,,ada@acme.test,", "their own manager"),
]


@pytest.mark.parametrize(("line", "words"), BAD)
def test_each_bad_line_is_told_and_the_others_hold(world, line, words):
    for name in ("ada", "bob"):
        world.member(name)
    text = f"mail,department,manager,from\n{line}\nbob@acme.test,Sales,,\n"

    lines = world.preview(text)

    assert words in lines[0].problem
    assert lines[1].problem == ""
    with pytest.raises(Invalid, match="1 of 2 lines"):
        world.apply(text)
    assert not places.placements(world.workspace.pk).exists()
    world.apply(text, skip_bad=True)
    assert places.placements(world.workspace.pk).count() == 1


def test_a_circle_within_the_file_is_told_at_the_line_that_closes_it(world):
    for name in ("ada", "bob", "cleo"):
        world.member(name)

    lines = world.preview(
        "mail,manager\nada@acme.test,bob@acme.test\nbob@acme.test,cleo@acme.test\n"
        "cleo@acme.test,ada@acme.test\n"
    )

    assert [bool(line.problem) for line in lines] == [False, False, True]
    assert "lead themself" in lines[2].problem


def test_the_same_person_twice_on_a_day_is_told(world):
    world.member("ada")

    lines = world.preview("mail,department\nada@acme.test,One\nada@acme.test,Two\n")

    assert "Line 2 says" in lines[1].problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"mail\n" + b"x" * LARGEST, "larger than"),
        ("mail,department\nada@acme.test,Köln\n".encode("latin-1"), "UTF-8"),
        (b"mail,manager\x00\n", "no table"),
        (b"", "first line"),
        (b"person,manager\n", "first line"),
        (b"mail,salary\n", "no column"),
        (b"mail,mail\n", "named twice"),
        (b"mail\n" + b"a@b.test\n" * 5001, "5000 lines"),
        (b'mail\n"never closed', "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_of_people_is_refused_whole(world, content, words):
    with pytest.raises(NoTable, match=words):
        world.preview(content)


def test_people_and_teams_may_have_a_calendar_of_their_own(world):
    week = [[{"from": "08:00", "to": "12:00"}]] * 4 + [[]] * 3
    team = commands.create_team(actor=world.boss, slug="night", name="Night", now=NOON)

    commands.set_own_calendar(
        actor=world.boss,
        team_id=team.pk,
        content={"zone": "Europe/Berlin", "hours": week, "holidays": []},
        now=NOON,
    )

    own = places.calendar_for(world.workspace.pk, team="night")
    assert own is not None
    assert own.zone == "Europe/Berlin"
    assert places.calendar_for(world.workspace.pk, team="other") is None


def test_a_calendar_by_which_nobody_works_for_a_year_is_refused(world):
    team = commands.create_team(actor=world.boss, slug="night", name="Night", now=NOON)
    days = [{"date": TODAY + timedelta(days=n), "name": ""} for n in range(400)]
    hours = [[{"from": "09:00", "to": "17:00"}]] * 7
    with pytest.raises(Invalid, match="within the next year"):
        commands.set_own_calendar(
            actor=world.boss,
            team_id=team.pk,
            content={"zone": "UTC", "hours": hours, "holidays": days},
            now=NOON,
        )
    assert places.calendar_for(world.workspace.pk, team="night") is None


def test_a_calendar_by_which_nobody_ever_works_is_refused(world):
    with pytest.raises(Invalid, match="Nobody ever works"):
        commands.set_own_calendar(
            actor=world.boss,
            membership_id=world.member("ada").pk,
            content={"zone": "UTC", "hours": [[]] * 7, "holidays": []},
            now=NOON,
        )


class TestTheApi:
    def browser(self, world, name, *roles):
        return people.browser(world.member(name, *roles).user)

    def test_shows_what_held_on_a_day(self, world):
        now = clock.now()
        world.place("ada", now.date(), now=now, manager="bob", department="Buying")
        address = f"/api/v1/members/{world.member('ada').pk}/place/"

        browser = self.browser(world, "boss")
        shown = people.send(browser, "GET", address).json()
        before = people.send(browser, "GET", f"{address}?on=2001-01-01").json()
        bad = people.send(browser, "GET", f"{address}?on=soon")

        assert shown["on"]["manager"]["email"] == "bob@acme.test"
        assert before["on"] is None
        assert bad.status_code == 422

    def test_previews_a_file(self, world):
        world.member("ada")
        sent = b64encode(b"mail,department\nada@acme.test,Sales\n").decode()

        answer = people.send(
            self.browser(world, "boss"), "POST", "/api/v1/members/import/preview/", {"file": sent}
        )

        assert answer.json()["results"][0]["changes"] == {"department": ["", "Sales"]}

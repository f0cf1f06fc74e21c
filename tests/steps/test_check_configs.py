"""The judge of flow documents: what steps and triggers are told, and the secrets they name."""

import pytest

from apps.steps.check import check_document
from tests.steps.documents import codes, link, mapped, one_step, only


class TestConfigs:
    @pytest.mark.parametrize(
        "checked, message, fix, path",
        [
            (
                one_step("stop", ports=(), outcome="complete"),
                "“The run is then” must be one of “completed”, “failed”; it is the text “complete”.",
                "Did you mean “completed”?",
                "/outcome",
            ),
            (
                one_step("http.request", ports=("done", "error")),
                "“Address” is missing.",
                "Fill it in.",
                "/url",
            ),
            (
                one_step(
                    "http.request", ports=("done", "error"), url="https://a.example", method=1
                ),
                "“Method” must be one of “GET”, “POST”, “PUT”, “PATCH”, “DELETE”, “HEAD”; it is 1.",
                "Choose one of them.",
                "/method",
            ),
            (
                one_step(
                    "http.request", ports=("done", "error"), url="https://a.example", heders={}
                ),
                "There is no field “heders” here.",
                "Did you mean “headers”?",
                "/heders",
            ),
            (
                one_step(
                    "http.request",
                    ports=("done", "error"),
                    url="https://a.example",
                    headers={"A": 5},
                ),
                "“Headers → A” must be text; it is 5.",
                "Write text.",
                "/headers/A",
            ),
            (
                one_step("respond", status=99),
                "“Status” must be at least 200; it is 99.",
                "Give a number at least 200.",
                "/status",
            ),
            (
                one_step("delay"),
                "The form: Say either how long or until when.",
                "Change it so that it fits.",
                "",
            ),
            (
                one_step("join", mode={"n": "many"}),
                "“Go on when → How many” must be a whole number; it is the text “many”.",
                "Give a whole number, such as 3.",
                "/mode/n",
            ),
            (
                one_step("map", fields=[]),
                "“Fields” must be a set of named fields; it is a list.",
                'Give named fields, such as {"name": "value"}.',
                "/fields",
            ),
        ],
    )
    def test_are_judged_in_sentences(self, checked, message, fix, path):
        finding = only(checked, "bad_config")
        assert finding.message == message
        assert finding.fix == fix
        assert finding.path == f"/steps/it/config{path}"
        assert finding.step == "it"

    @pytest.mark.parametrize("config", [3, "x", [], True])
    def test_must_be_objects(self, good, config):
        good["steps"]["end"]["config"] = config
        assert codes(good) == ["bad_config"]

    def test_a_template_may_stand_for_any_value(self):
        checked = one_step("respond", status="= 200 + 4", body="=trigger.body")
        assert check_document(checked) == []

    def test_a_template_may_stand_inside_a_choice_of_shapes(self, good):
        good["steps"]["approve"]["config"]["rule"] = {"n": "= 1 + 1"}
        assert check_document(good) == []

    def test_a_template_may_not_stand_where_nothing_is_evaluated(self, good):
        assert codes(one_step("join", mode={"n": "= 1"})) == ["bad_config"]
        assert "bad_settings" in codes({**good, "settings": {"max_steps": "= 5"}})
        good["trigger"]["config"]["path"] = "=trigger.body.path"
        assert codes(good) == ["bad_config"]

    def test_a_way_out_is_no_expression(self, good):
        good["steps"]["size"]["config"]["otherwise"] = "= 1"
        good["links"][2]["port"] = "= 1"
        assert codes(good) == ["bad_name"]

    def test_of_the_shapes_of_a_rule_only_the_nearest_is_spoken_of(self, good):
        good["steps"]["approve"]["config"]["rule"] = {"n": 0}
        assert only(good, "bad_config").path == "/steps/approve/config/rule/n"

    def test_no_one_to_decide(self, good):
        good["steps"]["approve"]["config"]["assignees"] = {}
        assert "Name at least one person" in only(good, "bad_config").message

    def test_decide_without_otherwise(self, good):
        del good["steps"]["size"]["config"]["otherwise"]
        good["links"].remove(link("size:small -> end"))
        assert only(good, "no_otherwise").path == "/steps/size/config/otherwise"

    def test_two_branches_of_one_name(self, good):
        branches = good["steps"]["size"]["config"]["branches"]
        branches.append({"port": "large", "when": "true"})
        assert only(good, "duplicate_port").path == "/steps/size/config/branches/1/port"

    def test_a_line_break_in_the_name_of_a_port(self, good):
        good["steps"]["size"]["config"]["otherwise"] = "sm\nall"
        good["links"][2]["port"] = "sm\nall"
        assert codes(good) == ["bad_name"]

    @pytest.mark.parametrize("due", ["2 days", "P", "PT", "P999999999Y"])
    def test_a_duration_that_is_none(self, good, due):
        good["steps"]["approve"]["config"]["due"] = due
        assert only(good, "bad_duration").path == "/steps/approve/config/due"

    @pytest.mark.parametrize(
        "url", ["example.com", "ftp://example.com", "https://", "http://[", "javascript:alert(1)"]
    )
    def test_an_address_that_is_none(self, url):
        checked = one_step("http.request", ports=("done", "error"), url=url)
        assert codes(checked) == ["bad_address"]

    def test_a_line_break_in_a_header(self):
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"X": "a\r\nB: c"},
        )
        assert codes(checked) == ["bad_header"]

    @pytest.mark.parametrize("to", ["", "ann", ["a@example.org", "no"], [], 3])
    def test_mail_to_nobody(self, to):
        checked = one_step("mail.send", ports=("done", "error"), to=to, subject="Hi", text="Hello")
        assert codes(checked) == ["bad_address"]

    def test_people_and_groups_that_are_not_there(self, good):
        good["steps"]["approve"]["config"]["assignees"] = {
            "groups": ["finanse", "=trigger.body.team"],
            "users": ["Ann@example.org"],
        }
        known = {"groups": frozenset({"finance"}), "people": frozenset({"ann@example.org"})}
        assert codes(good, **known) == ["unknown_group"]

    def test_an_unsigned_webhook_is_a_warning(self, good):
        good["trigger"]["config"]["signature"] = {"scheme": "none"}
        assert only(good, "unsigned").severity == "warning"

    @pytest.mark.parametrize(
        "trigger",
        [
            {"type": "webhook", "config": {"path": ""}},
            {"type": "webhook", "config": {"path": "a b"}},
            {"type": "webhook", "config": {"path": "a", "signature": {"scheme": "github"}}},
            {"type": "schedule", "config": {"cron": "every day"}},
            {"type": "schedule", "config": {"cron": "0 9 * * *", "zone": "Mars/Base"}},
            {"type": "manual", "config": {"form": {"type": "strange"}}},
        ],
    )
    def test_a_trigger_that_does_not_fit(self, good, trigger):
        good["trigger"] = trigger
        found = [one for one in check_document(good) if one.code == "bad_config"]
        assert [one.step for one in found] == ["trigger"]


class TestSecrets:
    def test_are_used_in_requests(self):
        auth = {"secret": "crm", "prefix": "Bearer "}
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"Authorization": auth},
            query={"key": {"secret": "crm"}},
            body={"deep": [{"password": {"secret": "crm"}}]},
        )
        assert check_document(checked) == []

    def test_are_not_filled_in_elsewhere(self):
        finding = only(mapped(a={"secret": "crm"}), "secret_not_allowed")
        assert finding.path == "/steps/it/config/fields/a"

    @pytest.mark.parametrize("source", ["=secrets.crm", "= secret.crm"])
    def test_cannot_be_read_by_expressions(self, source):
        assert codes(mapped(a=source)) == ["secret_in_expression"]

    def test_in_the_clear_are_a_warning(self):
        checked = one_step(
            "http.request",
            ports=("done", "error"),
            url="https://a.example",
            headers={"Authorization": "Bearer abc"},
        )
        assert only(checked, "secret_in_clear").severity == "warning"

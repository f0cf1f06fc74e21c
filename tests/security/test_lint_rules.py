"""security.md: no ``dangerouslySetInnerHTML``, no ``mark_safe`` on data (lint rules)."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"mark_safe|SafeString\(|SafeText\(|\|\s*safe\b|autoescape off|format_html\(f")
#: Where markup is made, each for the reason that stands beside it.
ALLOWED = {
    "apps/flows/explain.py": "a picture drawn by rules, which escape every text of the flow",
    "apps/inbox/details.py": "the fixed Markdown subset, which escapes every text",
    "apps/operations/governance/flows.py": "a line break, a constant",
}


@pytest.mark.parametrize(
    "line",
    [
        "from django.utils.safestring import mark_safe\nx = mark_safe(input())",
        "x = eval(input())",
        "exec(input())",
    ],
)
def test_the_linter_refuses_mark_safe_and_eval(line, tmp_path):
    file = tmp_path / "sample.py"
    file.write_text(line + "\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--config",
            str(ROOT / "pyproject.toml"),
            str(file),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"S308|S307|S102", done.stdout)


def test_the_rule_is_on_for_all_of_the_product():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    off = {*lint["ignore"]}.union(
        *(rules for path, rules in lint["per-file-ignores"].items() if not path.startswith("tests"))
    )
    assert not {rule for rule in off if re.fullmatch(r"S|S3\d\d|S102", rule)}


def test_markup_is_made_nowhere_but_where_it_is_argued_for():
    found = {}
    for path in [*ROOT.glob("apps/**/*"), *ROOT.glob("templates/**/*"), *ROOT.glob("config/**/*")]:
        name = str(path.relative_to(ROOT))
        # Mails are plain text: there is nothing to escape for.
        if path.suffix in {".py", ".html"} and MARKED.search(path.read_text()):
            found[name] = path
    assert found.keys() == ALLOWED.keys()


def test_the_front_end_has_a_rule_too_and_no_exception_to_it():
    rules = (ROOT / "frontend" / "eslint.config.js").read_text()
    assert 'JSXAttribute[name.name="dangerouslySetInnerHTML"]' in rules
    assert "innerHTML|outerHTML" in rules
    for path in ROOT.glob("frontend/src/**/*.ts*"):
        source = path.read_text()
        assert not re.search(
            r"dangerouslySetInnerHTML|\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write"
            r"|\beval\(|new Function\(",
            source,
        ), path


def test_forms_are_checked_by_an_interpreter_and_styles_carry_the_nonce():
    """No ``unsafe-eval``: a validator that compiles JSON Schema to code would need it."""
    source = "\n".join(path.read_text() for path in ROOT.glob("frontend/src/**/*.ts*"))
    assert "@cfworker/json-schema" in source
    assert "getStyleNonce" in source
    assert "cspNonce" in source
    assert not re.search(r"from ['\"](ajv|@rjsf/validator-ajv8)", source)


def test_browser_tests_fail_on_any_complaint():
    """Console errors, policy reports, broken scripts, requests to another host."""
    watch = (ROOT / "tests" / "e2e" / "browser.ts").read_text()
    for what in ("'pageerror'", "'console'", "Content Security Policy", "asks another host"):
        assert what in watch
    for path in ROOT.glob("tests/e2e/*.test.ts"):
        source = path.read_text()
        assert "watchComplaints(" in source, path
        assert re.search(r"expect\(.*complaints.*\)\.toEqual\(\[\]\)", source, re.IGNORECASE), path

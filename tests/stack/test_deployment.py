"""No image can be built where these tests run, so what an image needs is held here."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "signalbox"}


def _instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{word} ")]


def _make_targets(text: str) -> set[str]:
    return set(re.findall(r"(?:RUN |\[\"make\", \")(?:make )?([a-z-]+)\"?", text))


@pytest.mark.parametrize("copy", _instructions("COPY"))
def test_every_source_that_is_copied_exists_and_is_sent(copy):
    *sources, _target = [part for part in copy.split() if not part.startswith("--")]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    made = {".venv"}
    for source in sources:
        name = source.removeprefix("/app/").removeprefix("./")
        if name in made:
            continue
        assert (ROOT / name).exists(), name
        assert name in sent, f"{name} is left out by .dockerignore"
        tracked = subprocess.run(
            ["git", "ls-files", name], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert tracked, f"{name} is not committed"


def test_every_command_is_one_of_the_makefile_that_these_tests_run():
    commands = [one["command"] for one in OURS.values()]
    commands += [json.loads(line) for line in _instructions("CMD")]
    commands += [json.loads(line.partition("CMD ")[2]) for line in _instructions("HEALTHCHECK")]
    commands += [line.split() for line in _instructions("RUN") if line.startswith("make ")]
    makefile = (ROOT / "Makefile").read_text()
    tried = (ROOT / "tests" / "stack" / "test_running.py").read_text()
    tried += (ROOT / "tests" / "stack" / "test_fresh_clone.py").read_text()

    for program, target in commands:
        assert program == "make"
        assert re.search(rf"\b{target}\b", makefile), target
        assert f'"{target}"' in tried, f"no test runs {target}"
    assert {target for _, target in commands} >= {"install", "prepare", "web", "drive"}


def test_every_part_of_the_stack_has_its_container():
    from config.stack.programs import workers

    assert {program.name for program in workers()} < set(OURS)
    assert {"postgres", "valkey"} < set(COMPOSE["services"])


def test_every_variable_is_documented():
    sources = [
        *ROOT.glob("config/**/*.py"),
        *ROOT.glob("apps/**/*.py"),
        *ROOT.glob("tools/*.py"),
        *(ROOT / name for name in ("compose.yaml", "Dockerfile", "manage.py", ".ci/run")),
    ]
    used = set()
    for source in sources:
        used |= set(re.findall(r"\bSIGNALBOX_[A-Z]+(?:_[A-Z]+)*\b", source.read_text()))
    for one in OURS.values():
        used |= set(one["environment"])
    used |= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs" / "operating.md").read_text()))

    assert used - documented == set()


def test_no_secret_is_in_a_layer_and_nobody_is_root():
    for instruction in (*_instructions("ENV"), *_instructions("ARG"), *_instructions("RUN")):
        assert not re.search(r"KEY|SECRET|PASSWORD|TOKEN", instruction), instruction
    for name in ("keys", "var", ".env", ".git"):
        assert not any(re.search(rf"(^|/| ){name}\b", copy) for copy in _instructions("COPY"))
    assert (ROOT / ".dockerignore").read_text().splitlines()[0] == "*"
    assert _instructions("USER") == ["signalbox"]
    assert DOCKERFILE.rindex("USER signalbox") > DOCKERFILE.rindex("RUN ")


def test_no_value_of_a_secret_is_in_the_compose_file():
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"KEY|PASSWORD", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]*\}", value), name
            if name == "DATABASE_URL":
                assert "${POSTGRES_PASSWORD:?" in value


def test_the_web_image_is_checked_and_answers_beyond_itself():
    assert _instructions("HEALTHCHECK")
    assert "HOST=0.0.0.0" in DOCKERFILE
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2

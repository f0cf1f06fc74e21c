"""What the server says in each language: ``python -m tools.texts``.

Reads every text out of the sources, brings ``locale/<language>/LC_MESSAGES/*.po`` up to date (new
texts are added empty, texts that are gone are taken out) and compiles them; nothing but Python is
needed. With ``--check`` it writes nothing and says what is missing, left over, given other values
or not compiled.

Two catalogues: ``django`` for what is marked by gettext and in templates; ``sentences`` for what is
said where there is no Django (see ``apps.core.sentences``).
"""

from __future__ import annotations

import ast
import os
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import typing_settings  # noqa: F401 - stand-ins for keys and addresses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "locale"
LANGUAGES = ("de",)
GETTEXT = {"gettext", "gettext_lazy", "gettext_noop", "pgettext", "_"}
NGETTEXT = {"ngettext", "ngettext_lazy"}
#: Where sentences are said without gettext.
SENTENCES = (
    "apps/steps",
    "apps/engine/feel",
    "apps/engine/joins.py",
    "apps/engine/run.py",
    "apps/engine/scopes.py",
    "apps/engine/tables.py",
    "apps/engine/values.py",
    "apps/audit/one_row.py",
    "apps/audit/row_checks.py",
    "apps/audit/verify.py",
    "apps/flows/calls.py",
    "apps/flows/candidates.py",
    "apps/flows/commands.py",
    "apps/flows/names.py",
    "apps/flows/working_checks.py",
    "apps/inbox/limits.py",
    "apps/inbox/opening.py",
    "apps/operations/trail_checks.py",
    "apps/operations/trail_jobs.py",
    "apps/runs/drive.py",
    "apps/runs/effects.py",
    "apps/runs/evaluation.py",
    "apps/runs/testing.py",
    "apps/runs/trying.py",
    "apps/runs/writing.py",
    "apps/triggers/answers.py",
    "apps/triggers/envelope.py",
    "apps/triggers/firing.py",
    "apps/triggers/matching.py",
    "apps/triggers/starting.py",
    "apps/core/http.py",
    "apps/core/idempotency.py",
)
#: Tables of words in both languages.
OWN_WORDS = ("apps/steps/comparison", "apps/steps/explain", "apps/steps/summary")
#: Where only what refuses is said without gettext; the rest is marked, or for nobody.
REFUSALS = (
    "apps/accounts",
    "apps/audit",
    "apps/connections",
    "apps/flows",
    "apps/inbox",
    "apps/notices",
    "apps/operations",
    "apps/requests",
    "apps/runs",
    "apps/triggers",
)
#: Words for what was found, which stand inside sentences; see ``apps.steps.texts.found``.
INSIDE = {
    "apps/flows/commands.py": (
        "an error stands",
        "{0} errors stand",
        "{0} cannot be published yet",
        "The draft",
        "What is chosen",
        "Version {0} cannot be activated now",
    ),
    "apps/steps/contracts.py": (
        "It must be {0}; it is {1}.",
        "It must be one of {0}.",
        "It must be {0}.",
        "It must have the form {0}.",
        "It has an item twice.",
        "It is not asked for.",
        "It must be {0} or more.",
        "It must be more than {0}.",
        "It must be {0} or less.",
        "It must be less than {0}.",
        "It must be a multiple of {0}.",
        "It must have {0} characters or more.",
        "It must have {0} characters at most.",
        "It must have {0} items or more.",
        "It must have {0} items at most.",
        "It must have {0} fields or more.",
        "It must have {0} fields at most.",
        "It lacks {0}.",
        "It is too large to be held against what is asked for.",
        "a whole number",
    ),
    # Whole sentences that are put together of parts, some of which may be empty.
    "apps/audit/row_checks.py": (
        "Row {0} of seal {1} was changed.",
        "Row {0} that is not sealed yet was changed.",
    ),
    "apps/audit/verify.py": (
        "Line {0} of the checkpoint file cannot be read.",
        "Line {0} of the checkpoint file names seal {1} out of order, or seal {2} was cut.",
    ),
    "apps/engine/scopes.py": (
        "{0} item of “{1}” failed (number {2}).",
        "{0} items of “{1}” failed (number {2}).",
    ),
    "apps/engine/values.py": (
        "The value",
        "{0} holds a NUL character.",
        "{0} has a key with a NUL character.",
        "{0} holds half a character (a lone surrogate).",
        "{0} has a key with half a character (a lone surrogate).",
    ),
    "apps/flows/calls.py": (
        (
            "At most one run of this flow is under way at once, and this step waits for another"
            " one: neither would ever go on."
        ),
        (
            "A run holds its place under the limit of this flow's runs while this step waits for"
            " another run of it: with no place left, none of them goes on."
        ),
        " again, through {0}",
    ),
    "apps/runs/testing.py": ("This cannot be tried out yet.",),
    "apps/steps/forms.py": (
        "It needs an answer.",
        "It must be a date such as 2026-03-31.",
        "It must be a member of this workspace.",
        "It is not there any more; attach it anew.",
        # Made by functions that only return the refusal.
        (
            "This kind of file is not taken. PDF, pictures (PNG, JPEG, GIF, WebP), documents of"
            " office programs and plain text are; what a file is called does not matter."
        ),
        "The file is of two kinds at once; save it anew and try again.",
    ),
    "apps/steps/texts.py": ("empty", "a list", "a set of named fields", "the text “{0}”"),
    "apps/engine/feel/types.py": (
        "null (nothing)",
        "true or false",
        "a number",
        "text",
        "a date",
        "a time",
        "a date and time",
        "a duration of days and time",
        "a duration of years and months",
        'the text "{0}"',
        "the number {0}",
        "a list",
        "a context",
        "a range",
        "a function",
    ),
}
#: Errors that are returned, not raised, here and there.
REFUSED_BY = {
    "RequesterMayNot",
    "AuthorMayNot",
    "TwiceMayNot",
    "DepartmentMayNot",
    "CannotHave",
    "Conflict",
    "Finding",
    "Forbidden",
    "Invalid",
    "NotFound",
    "NotInBulk",
    "NotTaken",
    "OverLimit",
}
NOT_FOR_READERS = {"management", "migrations", "roads"}
#: Said to whoever builds step types, or no words at all.
NOT_READ = {
    # Said to whoever runs the installation.
    "This is not a sealed value, or it was cut.",
    "The key that sealed this is not in SIGNALBOX_ENCRYPTION_KEYS any more.",
    (
        "SIGNALBOX_ENCRYPTION_KEYS holds something that is not 32 bytes in base64; make a key"
        " with: openssl rand -base64 32"
    ),
    "The sealed value was changed, or belongs to another row.",
    "SIGNALBOX_SIGNING_KEY is empty: set it to a base64 key of 32 bytes.",
    (
        "SIGNALBOX_SIGNING_KEY is not a base64 Ed25519 private key of 32 bytes: make one with"
        " `head -c 32 /dev/urandom | base64`."
    ),
    "The demo flow was not published.",
    # Put together of parts; whole they stand in INSIDE.
    "R{0} was changed.",
    "Line {0} of the checkpoint file {1}{2}.",
    "{0} {1} of “{2}” failed (number {3}).",
    "This cannot be tried out yet.{0}",
    "{0} a NUL character.",
    "{0} half a character (a lone surrogate).",
    "{0} and {1}",
    # Of the parts of the product themselves.
    "A row of the trail is written inside the transaction of what it tells of.",
    "{0} is no verb of the trail; write it as 'noun.verb'.",
    "{0} has the field {1}; a field of the trail is named by the program, never by data.",
    "{0} stays readable in the trail for ever; give an id here, and the address as the label.",
    "The tree has {0} leaves; there is no leaf {1}.",
    "{0} rows of {1} are not sealed yet; they cannot be dropped.",
    "{0} is {1}; it cannot become {2}.",
    "A person just added cannot act.",
    "Nobody waits for run {0}.",
    "{0} returned {1}.",
    "{0} of {1} runs were found.",
    "{0} of {1} locked waits were resolved.",
    "No package has registered how to keep events.",
    "No package has registered how to open tasks.",
    "No package has registered which tasks are open.",
    "Run {0} has a command of the unknown kind {1}.",
    "Signalbox flow",
    "Bearer ",
    "{0} has no items.",
    "Step type {0} version {1} is registered twice.",
    "Trigger type {0} is registered twice.",
    "{0} version {1}",
    "A join is decided by the engine; it is never evaluated.",
    "Node | None",
    "FEEL has no values of type {0}",
    "Whether it takes so many arguments, where it is built in and has several ways.",
    "The types of its parameters as FEEL writes them, where they are said; ``Any`` else.",
    "{0}: any*",
    "{0} included",
}
HEADER = (
    'msgid ""\nmsgstr ""\n'
    '"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Language: {language}\\n"\n'
    '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
)
HEADER_TEXT = (
    "Content-Type: text/plain; charset=UTF-8\nLanguage: {language}\n"
    "Plural-Forms: nplurals=2; plural=(n != 1);\n"
)


@dataclass
class Text:
    """One entry: what it is in English, where it stands, and what it is in the language."""

    source: str
    plural: str = ""
    places: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    @property
    def is_said(self) -> bool:
        """Whether every form has its words."""
        return len(self.said) == (2 if self.plural else 1) and all(self.said)


Texts = dict[str, Text]


def main() -> int:
    """Write the catalogues anew, or check them."""
    if "--check" in sys.argv:
        return check()
    for path, found, known in _catalogues():
        _write(path, found, known)
    return 0


def check() -> int:
    """Say what is wrong with the catalogues; 1 where something is."""
    problems = [
        problem
        for path, found, known in _catalogues()
        for problem in problems_of(path, found, known)
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


def _catalogues() -> Iterator[tuple[Path, Texts, Texts]]:
    """Each .po file, with what it must hold and what it holds."""
    for domain, find in (("django", marked), ("sentences", sentences)):
        for language in LANGUAGES:
            path = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
            yield path, find(), read(path.read_text()) if path.exists() else {}


def marked() -> Texts:
    """Every text that is marked for gettext, in Python and in templates."""
    found: Texts = {}
    for path in sorted((ROOT / "apps").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                _note_call(found, node, path)
    for folder in ("apps", "templates"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".html", ".txt"} and "templates" in path.parts:
                for source, plural in _in_template(path.read_text()):
                    _note(found, source, plural, path)
    return found


def _note_call(found: Texts, node: ast.Call, path: Path) -> None:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    texts = [_constant(argument) for argument in node.args]
    if name in GETTEXT and texts and texts[0]:
        _note(found, texts[0], "", path)
    elif name in NGETTEXT and len(texts) > 1 and texts[0] and texts[1]:
        _note(found, texts[0], texts[1], path)


def _note(found: Texts, source: str, plural: str, path: Path) -> None:
    text = found.setdefault(source, Text(source, plural))
    text.plural = text.plural or plural
    text.places.add(path.relative_to(ROOT).as_posix())


def _constant(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _in_template(text: str) -> Iterator[tuple[str, str]]:
    """Django's own reading of a template leaves calls of gettext behind."""
    from django.utils.translation.template import templatize

    made = templatize(text)
    string = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    for call in re.finditer(rf"\b(n?)gettext\(\s*({string})(?:\s*,\s*({string}))?", made):
        source = ast.literal_eval(call[2])
        yield source, ast.literal_eval(call[3]) if call[1] and call[3] else ""
    for call in re.finditer(rf"(?<!\w)_\(({string})\)", made):
        yield ast.literal_eval(call[1]), ""


def sentences() -> Texts:
    """Every sentence of the step types and the check, and every word of the catalogue."""
    found: Texts = {}
    for root in SENTENCES:
        paths = [ROOT / root] if root.endswith(".py") else sorted((ROOT / root).rglob("*.py"))
        for path in paths:
            place = path.relative_to(ROOT).as_posix()
            if place.startswith(OWN_WORDS):
                continue
            for source in _said_in(ast.parse(path.read_text())):
                _note(found, source, "", path)
    for root in REFUSALS:
        at = ROOT / root
        for path in [at] if at.is_file() else sorted(at.rglob("*.py")):
            if not NOT_FOR_READERS & set(path.parts):
                for source in _refused_in(ast.parse(path.read_text())):
                    _note(found, source, "", path)
    for place, words in INSIDE.items():
        for source in words:
            _note(found, source, "", ROOT / place)
    for source, path in _catalogue_words():
        _note(found, source, "", path)
    return found


def _said_in(tree: ast.Module) -> Iterator[str]:
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr):
                inside.add(id(first.value))
        elif isinstance(node, ast.JoinedStr):
            inside.update(id(inner) for inner in ast.walk(node) if inner is not node)
    for node in ast.walk(tree):
        if id(node) in inside:
            continue
        source = _template(node)
        if source and source not in NOT_READ and _is_sentence(source):
            yield source


def _refused_in(tree: ast.Module) -> Iterator[str]:
    """The sentences of what is raised, and of the errors' own classes."""
    calls: list[ast.Call] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            calls.append(node.exc)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "__init__" or name in REFUSED_BY:
                calls.append(node)
    for call in calls:
        for argument in call.args:
            choices = [argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else None
            for choice in choices or [argument]:
                source = _template(choice)
                if source not in NOT_READ and _is_sentence(source):
                    yield source


def _template(node: ast.AST) -> str:
    """A text, with ``{0}``, ``{1}``… where values stand."""
    if isinstance(node, ast.JoinedStr):
        parts, count = "", 0
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts += str(part.value)
            else:
                parts += f"{{{count}}}"
                count += 1
        return parts
    return _constant(node)


def _is_sentence(source: str) -> bool:
    plain = re.sub(r"\{\d+\}", "", source)
    return bool(
        re.match(r"[A-Z“{]", source) and " " in source.strip() and re.search("[a-z]{3}", plain)
    )


def _catalogue_words() -> Iterator[tuple[str, Path]]:
    from apps.steps import registry

    place = ROOT / "apps/steps/types"
    kinds: list[registry.StepType | registry.TriggerType] = [
        *registry.catalogue(),
        *registry.triggers(),
    ]
    for kind in kinds:
        if not kind.config.__module__.startswith("apps."):
            continue
        shown: dict[str, Any] = kind.as_json()
        for name in ("title", "category", "help"):
            if shown.get(name):
                yield shown[name], place
        for name in ("config_schema", "output_schema"):
            for words in _schema_words(shown.get(name)):
                yield words, place


def _schema_words(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _schema_words(one)
    elif isinstance(schema, dict):
        for name, value in schema.items():
            if name in {"title", "description"} and isinstance(value, str):
                # A class's own name, which no form shows.
                if not re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+|Config|AtLeast", value):
                    yield value
            elif name == "x-labels":
                yield from value.values()
            elif name in {"properties", "$defs"}:
                for inner in value.values():
                    yield from _schema_words(inner)
            elif name not in {"examples", "default", "enum", "const"}:
                yield from _schema_words(value)


def read(text: str) -> Texts:
    """The entries of a .po file."""
    found: Texts = {}
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if match := re.match(r"(msgid_plural|msgid|msgstr(?:\[\d\])?)\s+(\".*\")\s*$", line):
                name = match[1]
                fields[name] = _unquoted(match[2])
            elif line.startswith('"') and name:
                fields[name] += _unquoted(line.strip())
        if fields.get("msgid"):
            said = [fields[key] for key in ("msgstr", "msgstr[0]", "msgstr[1]") if key in fields]
            text_ = Text(fields["msgid"], fields.get("msgid_plural", ""), set(), said)
            found[text_.source] = text_
    return found


def _unquoted(quoted: str) -> str:
    signs = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
    return re.sub(r"\\(.)", lambda sign: signs.get(sign[1], sign[1]), quoted[1:-1])


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    lines = plain.split("\n")
    if len(lines) == 1:
        return f'"{plain}"'
    return '""\n' + "\n".join(
        f'"{line}\\n"' if at < len(lines) - 1 else f'"{line}"' for at, line in enumerate(lines)
    )


def written(language: str, texts: Texts) -> str:
    """The .po file of these entries."""
    blocks = [HEADER.format(language=language)]
    for source in sorted(texts):
        text = texts[source]
        lines = [f"#: {place}" for place in sorted(text.places)]
        lines.append(f"msgid {_quoted(source)}")
        if text.plural:
            lines.append(f"msgid_plural {_quoted(text.plural)}")
            said = text.said if len(text.said) == 2 else ["", ""]
            lines += [f"msgstr[{at}] {_quoted(one)}" for at, one in enumerate(said)]
        else:
            lines.append(f"msgstr {_quoted(text.said[0] if text.said else '')}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def compiled(language: str, texts: Texts) -> bytes:
    """The .mo file: GNU gettext's binary form, sorted, without its hash table."""
    pairs = [(b"", HEADER_TEXT.format(language=language).encode())]
    for text in texts.values():
        if not text.is_said:
            continue
        name = f"{text.source}\0{text.plural}" if text.plural else text.source
        pairs.append((name.encode(), "\0".join(text.said).encode()))
    pairs.sort()
    keys, values = bytearray(), bytearray()
    rows: list[tuple[int, int, int, int]] = []
    for key, value in pairs:
        rows.append((len(key), len(keys), len(value), len(values)))
        keys += key + b"\0"
        values += value + b"\0"
    first = 28 + 16 * len(pairs)
    table = [number for row in rows for number in (row[0], row[1] + first)]
    table += [number for row in rows for number in (row[2], row[3] + first + len(keys))]
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, first)
    return head + struct.pack(f"<{len(table)}I", *table) + bytes(keys) + bytes(values)


def _write(path: Path, found: Texts, known: Texts) -> None:
    language = path.parts[-3]
    for source, text in found.items():
        if source in known and known[source].plural == text.plural:
            text.said = known[source].said
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(language, found))
    path.with_suffix(".mo").write_bytes(compiled(language, found))
    missing = sum(not text.is_said for text in found.values())
    print(f"{path.relative_to(ROOT)}: {len(found)} texts, {missing} not translated")


def problems_of(path: Path, found: Texts, known: Texts) -> Iterator[str]:
    """What is missing, left over, given other values or not compiled."""
    name = Path(*path.parts[-4:])
    again = "run `python -m tools.texts` and translate what is new"
    for source in found:
        if source not in known or not known[source].is_said:
            yield f"{name}: no words for “{source}”; {again}."
    for source, text in known.items():
        if source not in found:
            yield f"{name}: “{source}” is said nowhere; {again}."
        for said in text.said:
            if said and _values(said) not in [_values(one) for one in (source, text.plural) if one]:
                yield f"{name}: “{said}” is given other values than “{source}”."
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(path.parts[-3], known):
        yield f"{name.with_suffix('.mo')} is not what {name} says; run `python -m tools.texts`."


def _values(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]|\{\d+\}", text))


if __name__ == "__main__":
    raise SystemExit(main())

"""Models of DMN of each shape, small enough to be read here."""

from decimal import Decimal

import pytest

from apps.engine.feel import FeelError
from apps.engine.tables import TableError
from tools.dmn.evaluation import Unsupported, load
from tools.dmn.kit import run_kit

HEAD = (
    '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="{space}"'
    ' name="m">'
)


@pytest.fixture
def model(tmp_path):
    """Makes a model of the elements within ``<definitions>``."""

    def make(body, *, name="model.dmn", space="urn:m"):
        path = tmp_path / name
        path.write_text(f'<?xml version="1.0"?>{HEAD.format(space=space)}{body}</definitions>')
        return load(path)

    return make


def literal(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return f"<literalExpression><text>{escaped}</text></literalExpression>"


def decision(body, *, type_="", needs="", name="d"):
    typed = f' typeRef="{type_}"' if type_ else ""
    return f'<decision id="{name}" name="{name}"><variable name="{name}"{typed}/>{needs}{body}</decision>'


def requires(kind, *ids):
    outer = "knowledgeRequirement" if kind == "Knowledge" else "informationRequirement"
    return "".join(f'<{outer}><required{kind} href="#{one}"/></{outer}>' for one in ids)


def data(name, type_="Any"):
    return f'<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{type_}"/></inputData>'


def table(rules, hit="", outputs='<output name="out"/>', inputs=("x",)):
    heads = "".join(
        f"<input><inputExpression><text>{one}</text></inputExpression></input>" for one in inputs
    )
    rows = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text><![CDATA[{cell}]]></text></inputEntry>" for cell in when)
        + "".join(f"<outputEntry><text><![CDATA[{cell}]]></text></outputEntry>" for cell in then)
        + "</rule>"
        for when, then in rules
    )
    return f"<decisionTable {hit}>{heads}{outputs}{rows}</decisionTable>"


def test_names_have_spaces_and_marks(model):
    one = model(
        '<inputData id="i" name="Monthly Fee"><variable name="Monthly Fee" typeRef="number"/></inputData>'
        '<inputData id="j" name="Person\'s name"><variable name="Person\'s name"/></inputData>'
        + decision(
            literal('Person\'s name + ": " + string(Monthly Fee * 12)'),
            needs=requires("Input", "i", "j"),
        )
    )
    assert one.decision("d", {"Monthly Fee": 5, "Person's name": "Ann"}) == "Ann: 60"


def test_decisions_require_each_other(model):
    one = model(
        data("x")
        + decision(literal("x + 1"), needs=requires("Input", "x"), name="a")
        + decision(literal("a * 2"), needs=requires("Decision", "a"))
    )
    assert one.decision("d", {"x": 3}) == 8


def test_knowledge_is_a_function_with_a_context_for_a_body(model):
    body = (
        '<context><contextEntry><variable name="one more"/>' + literal("n + 1") + "</contextEntry>"
        "<contextEntry>" + literal("one more * 10") + "</contextEntry></context>"
    )
    knowledge = (
        '<businessKnowledgeModel id="k" name="ten more"><variable name="ten more"/><encapsulatedLogic>'
        f'<formalParameter name="n" typeRef="number"/>{body}</encapsulatedLogic></businessKnowledgeModel>'
    )
    needs = requires("Knowledge", "k")
    assert model(knowledge + decision(literal("ten more(2)"), needs=needs)).decision("d", {}) == 30
    called = f'<invocation>{literal("ten more")}<binding><parameter name="n"/>{literal("4")}</binding></invocation>'
    assert model(knowledge + decision(called, needs=needs)).decision("d", {}) == 50
    with pytest.raises(FeelError) as error:
        model(knowledge + decision(literal('ten more("2")'), needs=needs)).decision("d", {})
    assert error.value.code == "wrong_type"


@pytest.mark.parametrize(
    "boxed, value",
    [
        (f"<conditional><if>{literal('1 < 2')}</if><then>{literal('1')}</then><else>{literal('2')}</else></conditional>", 1),
        (f'<for iteratorVariable="i"><in>{literal("[1..3]")}</in><return>{literal("i * 2")}</return></for>', [2, 4, 6]),
        (f'<for iteratorVariable="i"><in>{literal("1..3")}</in><return>{literal("i")}</return></for>', None),
        (f'<for iteratorVariable="i"><in>{literal("[1,2,3]")}</in><return>{literal("i + sum(append(partial, 0))")}</return></for>', [1, 3, 7]),
        (f'<some iteratorVariable="i"><in>{literal("[1,2]")}</in><satisfies>{literal("i > 1")}</satisfies></some>', True),
        (f'<every iteratorVariable="i"><in>{literal("[1,2]")}</in><satisfies>{literal("i > 1")}</satisfies></every>', False),
        (f"<filter><in>{literal('[1,2,3]')}</in><match>{literal('item > 1')}</match></filter>", [2, 3]),
        (f"<filter><in>{literal('[{a: 1}, {a: 2}]')}</in><match>{literal('a = 2')}</match></filter>", [{"a": 2}]),
        (f"<filter><in>{literal('[7, 8]')}</in><match>{literal('2')}</match></filter>", 8),
        (f"<list>{literal('1')}{literal('2')}</list>", [1, 2]),
        (
            ('<relation><column name="a"/><column name="b c"/>'
            f"<row>{literal('1')}{literal('2')}</row></relation>"),
            [{"a": 1, "b c": 2}],
        ),
        (
            (f'<context><contextEntry><variable name="f"/><functionDefinition><formalParameter name="x"/>{literal("x + 1")}'
            f'</functionDefinition></contextEntry><contextEntry>{literal("f(4)")}</contextEntry></context>'),
            5,
        ),
        (f'<invocation>{literal("abs")}<binding><parameter name="n"/>{literal("-4")}</binding></invocation>', 4),
    ],
)  # fmt: skip
def test_boxed_expressions(model, boxed, value):
    if value is None:
        with pytest.raises(FeelError):
            model(decision(boxed)).decision("d", {})
    else:
        assert model(decision(boxed)).decision("d", {}) == value


LOW_HIGH = [(("< 10",), ('"low"',)), (("> 5",), ('"high"',))]


@pytest.mark.parametrize(
    "hit, x, value",
    [
        ('hitPolicy="UNIQUE"', 1, "low"),
        ('hitPolicy="FIRST"', 7, "low"),
        ('hitPolicy="COLLECT"', 7, ["low", "high"]),
        ('hitPolicy="RULE ORDER"', 7, ["low", "high"]),
        ('hitPolicy="COLLECT" aggregation="COUNT"', 7, 2),
        ('hitPolicy="COLLECT" aggregation="MIN"', 7, "high"),
        ('hitPolicy="COLLECT"', 10, ["high"]),
    ],
)
def test_hit_policies(model, hit, x, value):
    one = model(data("x", "number") + decision(table(LOW_HIGH, hit), needs=requires("Input", "x")))
    assert one.decision("d", {"x": x}) == value


def test_priority_and_output_order_go_by_the_values_of_the_output(model):
    outputs = '<output name="out"><outputValues><text>"high", "low"</text></outputValues></output>'
    for hit, value in (("PRIORITY", "high"), ("OUTPUT ORDER", ["high", "low"])):
        body = table(LOW_HIGH, f'hitPolicy="{hit}"', outputs)
        one = model(data("x") + decision(body, needs=requires("Input", "x")))
        assert one.decision("d", {"x": 7}) == value


def test_a_table_without_an_answer_is_an_error_unless_a_default_stands(model):
    rules = LOW_HIGH[:1]
    with pytest.raises(TableError) as error:
        model(data("x") + decision(table(rules), needs=requires("Input", "x"))).decision(
            "d", {"x": 50}
        )
    assert error.value.code == "no_rule"
    outputs = (
        '<output name="out"><defaultOutputEntry><text>"none"</text></defaultOutputEntry></output>'
    )
    one = model(data("x") + decision(table(rules, outputs=outputs), needs=requires("Input", "x")))
    assert one.decision("d", {"x": 50}) == "none"


def test_several_outputs_are_a_context(model):
    body = table(
        [(("-", '"a"'), ("1", "2"))],
        outputs='<output name="p"/><output name="q r"/>',
        inputs=("x", '"a"'),
    )
    one = model(data("x") + decision(body, needs=requires("Input", "x")))
    assert one.decision("d", {"x": 1}) == {"p": 1, "q r": 2}


def test_types_are_kept(model):
    types = (
        '<itemDefinition name="tAge"><typeRef>number</typeRef><allowedValues><text>[0..150]</text></allowedValues></itemDefinition>'
        '<itemDefinition name="tPerson"><itemComponent name="age"><typeRef>tAge</typeRef></itemComponent></itemDefinition>'
        '<itemDefinition name="tPeople" isCollection="true"><typeRef>tPerson</typeRef></itemDefinition>'
    )
    one = model(
        types
        + data("p", "tPeople")
        + decision(literal("p[1].age"), type_="tAge", needs=requires("Input", "p"))
    )
    assert one.decision("d", {"p": [{"age": 40}]}) == 40
    bad: list[object] = [[{"age": 151}], [{"age": "x"}], [{}], {"age": 1}, 3]
    for wrong in bad:
        with pytest.raises(FeelError) as error:
            one.decision("d", {"p": wrong})
        assert error.value.code == "wrong_type"


def test_a_service_is_called_by_its_name(model):
    body = (
        data("x")
        + decision(literal("x + 1"), needs=requires("Input", "x"), name="a")
        + decision(literal("a * 2"), needs=requires("Decision", "a"), name="b")
        + '<decisionService id="s" name="the service"><outputDecision href="#b"/>'
        '<encapsulatedDecision href="#a"/><inputData href="#x"/></decisionService>'
        '<decisionService id="t" name="halves"><outputDecision href="#b"/><inputDecision href="#a"/></decisionService>'
        + decision(literal("the service(4)"), needs=requires("Knowledge", "s"))
    )
    one = model(body)
    assert one.invoke("the service", {"x": 3}) == 8
    assert one.invoke("halves", {"a": 5}) == 10
    assert one.decision("d", {}) == 10


def test_models_import_each_other(model):
    model(
        data("y")
        + decision(literal("y + 1"), needs=requires("Input", "y"), name="z")
        + '<businessKnowledgeModel id="k" name="add one"><encapsulatedLogic><formalParameter name="n"/>'
        + literal("n + 1")
        + "</encapsulatedLogic></businessKnowledgeModel>",
        name="other.dmn",
        space="urn:other",
    )
    needs = (
        '<informationRequirement><requiredDecision href="urn:other#z"/></informationRequirement>'
        '<knowledgeRequirement><requiredKnowledge href="urn:other#k"/></knowledgeRequirement>'
    )
    one = model(
        '<import name="other" namespace="urn:other"/>'
        + decision(literal("other.add one(other.z)"), needs=needs)
    )
    assert one.decision("d", {"y": 1}) == 3


def test_what_is_no_feel_is_not_supported(model):
    java = (
        '<businessKnowledgeModel id="k" name="k"><encapsulatedLogic kind="Java"><context/></encapsulatedLogic>'
        "</businessKnowledgeModel>"
    )
    with pytest.raises(Unsupported):
        model(java + decision(literal("k()"), needs=requires("Knowledge", "k"))).decision("d", {})
    with pytest.raises(Unsupported):
        model(decision(literal("1"))).decision("nothing", {})


CASES = """<testCases xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<modelName>m.dmn</modelName>
<testCase id="right"><resultNode name="third"><expected><value xsi:type="xsd:decimal">0.333333333</value></expected></resultNode></testCase>
<testCase id="wrong"><resultNode name="third"><expected><value xsi:type="xsd:decimal">0.3</value></expected></resultNode></testCase>
<testCase id="null"><resultNode name="fails"><expected><value xsi:nil="true"/></expected></resultNode></testCase>
<testCase id="false"><resultNode name="fails"><expected><value xsi:type="xsd:boolean">false</value></expected></resultNode></testCase>
<testCase id="both"><resultNode name="third"><expected><value xsi:type="xsd:decimal">0.333333333</value></expected></resultNode>
<resultNode name="fails"><expected><value xsi:nil="true"/></expected></resultNode></testCase>
<testCase id="java"><resultNode name="java"><expected><value xsi:nil="true"/></expected></resultNode></testCase>
<testCase id="list"><resultNode name="list"><expected><list><item><component name="a"><value xsi:type="xsd:date">2026-01-01</value></component></item></list></expected></resultNode></testCase>
</testCases>"""


def test_verdicts_are_decided_by_rule(tmp_path):
    folder = tmp_path / "compliance-level-3" / "0000-own"
    folder.mkdir(parents=True)
    (folder / "0000-own-test-01.xml").write_text(CASES)
    body = (
        decision(literal("1 / 3"), name="third")
        + decision(literal('1 = "1"'), name="fails")
        + decision(literal("(function(a) external {})(1)"), name="java")
        + decision(literal('[{a: @"2026-01-01"}]'), name="list")
    )
    (folder / "m.dmn").write_text(f"{HEAD.format(space='urn:m')}{body}</definitions>")
    found = {one.case: one for one in run_kit(tmp_path)}
    assert {name: one.verdict for name, one in found.items()} == {
        "right": "passed",
        "wrong": "failed",
        "null": "differs",
        "false": "stricter",
        "both": "differs",
        "java": "unsupported",
        "list": "passed",
    }
    assert found["null"].rules == ("wrong type",)
    assert {one.level for one in found.values()} == {"3"}


def test_entities_are_not_expanded(tmp_path):
    path = tmp_path / "m.dmn"
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><definitions name="&a;"/>')
    with pytest.raises(Exception, match=r"[Ee]ntit"):
        load(path)


def test_numbers_are_compared_as_the_kit_writes_them():
    from tools.dmn.kit import alike

    assert alike(Decimal("0.33333333333"), Decimal("0.333333333"))
    assert not alike(Decimal("0.34"), Decimal("0.333"))
    assert not alike(3, Decimal(4))
    assert not alike(True, Decimal(1))
    assert not alike(1, True)

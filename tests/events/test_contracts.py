"""An event that a flow does not take starts no run; it is a refused delivery, and people are told."""

import pytest

from apps.core import outbox
from apps.operations.models import Alert
from apps.triggers.models import Delivery
from tests.events.support import starting
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

PAID = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}


@pytest.fixture
def version(bench):
    bench.workspace = people.make_workspace("doors")
    bench.owner = people.person(bench.workspace, "builder")
    doc = starting(dedupe="event.data.amount")
    return bench.release({**doc, "settings": {"contract": {"input": PAID}}})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "must be a set of named fields; it is empty"),
        ({}, "lacks “amount”"),
        ({"amount": "12"}, "“amount” must be a number; it is text"),
    ],
)
def test_what_does_not_fit_is_refused_and_told(bench, version, data, said):
    bench.tell(data)
    bench.settle()

    assert bench.runs_of(version) == []
    delivery = Delivery.objects.get()
    assert (delivery.verdict, delivery.run_id) == ("refused", None)
    assert said in delivery.reason
    outbox.relay()
    alert = Alert.objects.get()
    assert (alert.kind, alert.user, alert.count) == ("refused", bench.owner, 1)
    assert "invoice.paid" in alert.title
    assert said in alert.body


def test_each_that_is_refused_is_counted_once(bench, version):
    for _ in range(3):
        bench.tell({})
    bench.settle()
    outbox.relay()
    outbox.relay()

    assert Alert.objects.get().count == 3


def test_what_fits_starts(bench, version):
    bench.tell({"amount": 12})
    bench.settle()

    assert len(bench.runs_of(version)) == 1

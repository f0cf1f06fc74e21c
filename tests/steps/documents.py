"""Flow documents from short words, and what the judge says of them."""

from copy import deepcopy

from apps.steps.check import CheckContext, check_document


def step(kind, shown="", /, **config):
    return {"type": kind, "version": 1, "title": shown or kind, "config": config}


def link(text):
    """``a -> b`` or ``a:port -> b``."""
    left, right = text.split(" -> ")
    source, _, port = left.partition(":")
    return {"from": source, **({"port": port} if port else {}), "to": right}


def document(steps, links, **more):
    return {
        "format": "signalbox.flow/1",
        "name": "Orders",
        "trigger": {
            "type": "webhook",
            "config": {
                "path": "orders",
                "signature": {"scheme": "hmac-sha256", "secret": "shop"},
            },
        },
        "steps": deepcopy(steps),
        "links": [link(one) for one in links],
        **more,
    }


DECIDE = step("decide", branches=[{"port": "yes", "when": "trigger.body.ok"}], otherwise="no")
CALL = step("http.request", url="https://api.example.com/orders")
STOP = step("stop")


def approve(**config):
    return step("approval", **{"title": "Approve?", "assignees": {"groups": ["finance"]}, **config})


def codes(checked, **known):
    context = CheckContext(**known) if known else None
    return [one.code for one in check_document(checked, known=context)]


def only(checked, code):
    """The one finding of that code, which says everything a finding must say."""
    found = [one for one in check_document(checked) if one.code == code]
    assert len(found) == 1, [one.as_json() for one in check_document(checked)]
    assert found[0].message
    assert found[0].fix
    return found[0]


def one_step(kind, *, ports=("done",), **config):
    """A flow of one step whose ways out all lead to a stop."""
    return document(
        {"it": step(kind, **config), "end": STOP},
        ["trigger -> it", *(f"it:{port} -> end" for port in ports)],
    )


def mapped(**fields):
    return one_step("map", fields=fields)

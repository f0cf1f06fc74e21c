"""JSON Patch as findings use it (RFC 6902: add, remove, replace)."""

from copy import deepcopy


def patched(document, changes):
    made = deepcopy(document)
    for one in changes:
        *way, last = [
            part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:]
        ]
        here = made
        for part in way:
            here = here[int(part)] if isinstance(here, list) else here[part]
        key = int(last) if isinstance(here, list) and last != "-" else last
        if one["op"] == "remove":
            del here[key]
        elif one["op"] == "add" and isinstance(here, list):
            here.insert(len(here) if last == "-" else key, one["value"])
        else:
            if one["op"] == "replace":
                assert key in range(len(here)) if isinstance(here, list) else key in here
            here[key] = one["value"]
    return made

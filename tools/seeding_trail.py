"""Fill the trail with rows as people leave them, each with true hashes; the product seals them.

For filling only: the rows are made by PostgreSQL, set by set, where the product makes each with
the act that it tells of. Every commitment, hash and mark is what the product would have written, so
that the sealer takes the rows and ``audit_verify`` finds nothing wrong with them.
"""

import base64
import hmac
import threading
from typing import Any

import psycopg

AT_ONCE = 25_000
KEPT_DAYS = 19  # as far back as the month's partition goes, at most
PEOPLE, FLOWS, TARGETS, A_MATTER = 200, 50, 5_000, 4
VERBS = (
    "flow.edit", "flow.edit", "flow.publish", "flow.activate", "flow.grant", "run.start",
    "run.start", "run.start", "run.cancel", "run.replay", "task.decide", "task.decide",
    "task.decide", "member.change", "secret.set", "token.create", "sign_in.success",
    "sign_in.success", "access.denied", "export.read",
)  # fmt: skip

_FILL = """
with chosen as (
  select i, uuidv7(shift) as id, now() + shift as written,
    (%(verbs)s::text[])[1 + mod(i * 7919, {verbs})] as verb,
    (%(people)s::uuid[])[1 + mod(i * 31, {people})] as actor,
    (%(flows)s::uuid[])[1 + mod(i * 17, {flows})] as flow,
    mod(i * 31, {people}) as person, mod(i * 13, {targets}) as target, i / {matter} as matter
  from (select i, -(1 - i / %(total)s::float8) * greatest(interval '0', least(
      interval '{days} days', now() - date_trunc('month', now()))) as shift
    from generate_series(%(first)s::bigint, %(last)s::bigint) i) s
), texts as (
  select c.*, date_trunc('milliseconds', written) as at,
    '"Person ' || person || ' <person' || person || '@example.org>"' as actor_label,
    '"Vendor ' || target || '"' as target_label,
    '"Because of ticket T' || mod(i, 9973) || '"' as reason,
    (i %% 1000)::text as was, (i %% 1000 + 1)::text as became,
    '"Changed by hand, batch ' || mod(i, 100) || '"' as note,
    uuid_send(gen_random_uuid()) as s1, uuid_send(gen_random_uuid()) as s2,
    uuid_send(gen_random_uuid()) as s3, uuid_send(gen_random_uuid()) as s4,
    uuid_send(gen_random_uuid()) as s5, uuid_send(gen_random_uuid()) as s6
  from chosen c
), bound as (
  select t.*,
    pg_temp.bind(s1, 'actor.label', actor_label) as c1,
    pg_temp.bind(s2, 'after.number', became) as c2,
    pg_temp.bind(s3, 'before.number', was) as c3,
    pg_temp.bind(s4, 'details.note', note) as c4,
    pg_temp.bind(s5, 'reason', reason) as c5,
    pg_temp.bind(s6, 'target.label', target_label) as c6
  from texts t
), hashed as materialized (
  select b.*, sha256('\\x00'::bytea || convert_to(
    '{{"actor":{{"id":"' || actor || '","kind":"person"}},"at":"'
    || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || '","commitments":{{"actor.label":"' || c1 || '","after.number":"' || c2
    || '","before.number":"' || c3 || '","details.note":"' || c4 || '","reason":"' || c5
    || '","target.label":"' || c6 || '"}},"correlation_id":"m' || matter || '","flow":"' || flow
    || '","format":"signalbox.audit/1","id":"' || id || '","on_behalf_of":"","target":{{"id":"v'
    || target || '","type":"vendor"}},"verb":"' || verb || '","workspace":"' || %(workspace)s
    || '"}}', 'utf8')) as leaf
  from bound b
), event as (
  insert into audit_event
  select id, %(workspace)s::uuid, at, verb, 'person', actor::text, '', 'vendor', 'v' || target,
    flow, 'm' || matter, jsonb_build_object('actor.label', c1, 'after.number', c2,
      'before.number', c3, 'details.note', c4, 'reason', c5, 'target.label', c6), leaf from hashed
), value as (
  insert into audit_value
  select id, jsonb_build_object(
      'actor.label', jsonb_build_array(encode(s1, 'hex'), actor_label),
      'after.number', jsonb_build_array(encode(s2, 'hex'), became),
      'before.number', jsonb_build_array(encode(s3, 'hex'), was),
      'details.note', jsonb_build_array(encode(s4, 'hex'), note),
      'reason', jsonb_build_array(encode(s5, 'hex'), reason),
      'target.label', jsonb_build_array(encode(s6, 'hex'), target_label)),
    array_to_tsvector(array['person', person::text, 'person' || person, 'example', 'org',
      'actor/person', 'actor/' || person, 'actor/person' || person, 'actor/example', 'actor/org',
      'vendor', target::text, 'target/vendor', 'target/' || target,
      'because', 'of', 'ticket', 't' || mod(i, 9973), became, was, 'changed', 'by', 'hand', 'batch',
      mod(i, 100)::text]) from hashed
)
insert into audit_unsealed (event_id, row_hash, mac, refused)
select id, leaf, sha256(%(outer)s::bytea || sha256(%(inner)s::bytea || leaf)), false from hashed
"""
_BIND = """
create function pg_temp.bind(salt bytea, field text, value text) returns text
language sql immutable parallel safe as $$
  select encode(sha256('\\x02'::bytea || salt || convert_to(field, 'utf8') || '\\x00'::bytea
    || convert_to(value, 'utf8')), 'hex')
$$
"""


def fill(database: str, workspace: str, count: int, *, signing_key: str, at_once: int = 2) -> None:
    """Add ``count`` rows to a workspace's trail; they wait to be sealed."""
    parts = [range(first, count, AT_ONCE * at_once) for first in range(0, count, AT_ONCE)][:at_once]
    failed: list[BaseException] = []

    def work(firsts: range) -> None:
        try:
            _fill(database, workspace, firsts, count, signing_key)
        except BaseException as error:  # noqa: BLE001 - told to the caller's thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if failed:
        raise failed[0]


def tidy(database: str) -> None:
    """What autovacuum does within minutes."""
    with psycopg.connect(database, autocommit=True) as connection:
        for table in ("audit_event", "audit_value", "audit_leaf", "audit_unsealed", "audit_seal"):
            connection.execute(f"vacuum (analyze) {table}")
        connection.execute("checkpoint")


def _fill(database: str, workspace: str, firsts: range, count: int, signing_key: str) -> None:
    inner, outer = _pads(signing_key)
    query = _FILL.format(
        verbs=len(VERBS), people=PEOPLE, flows=FLOWS, targets=TARGETS, matter=A_MATTER,
        days=KEPT_DAYS,
    )  # fmt: skip
    given: dict[str, Any] = {
        "verbs": list(VERBS),
        "people": [uuid_of(1, n) for n in range(PEOPLE)],
        "flows": [uuid_of(2, n) for n in range(FLOWS)],
        "total": count,
        "workspace": workspace,
        "inner": inner,
        "outer": outer,
    }
    with psycopg.connect(database) as connection:
        # Nothing of this is worth waiting for the disk; the server's own setting stays.
        connection.execute("set synchronous_commit to off")
        connection.execute(_BIND)
        connection.commit()
        for first in firsts:
            last = min(first + AT_ONCE, count) - 1
            connection.execute(query, {**given, "first": first, "last": last})
            connection.commit()


def _pads(signing_key: str) -> tuple[bytes, bytes]:
    """The two halves of HMAC-SHA256 under the key that marks rows which wait. Source: RFC 2104."""
    text = signing_key.partition(",")[0].strip().replace("-", "+").replace("_", "/")
    key = hmac.digest(base64.b64decode(text), b"signalbox.audit.unsealed/1", "sha256")
    padded = key.ljust(64, b"\0")
    return bytes(one ^ 0x36 for one in padded), bytes(one ^ 0x5C for one in padded)


def uuid_of(kind: int, number: int) -> str:
    """The id of a person (1) or a flow (2)."""
    return f"019a0000-0000-7000-8000-{kind:04x}{number:08x}"

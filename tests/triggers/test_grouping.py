"""Calls that come together are stored together, and each is answered for itself."""

import asyncio

import pytest

from apps.triggers import intake
from apps.triggers.grouping import MOST, Groups
from apps.triggers.wires import Unavailable, Wires, away


class Desk:
    """Work that is done in groups and remembers them; a gate holds it back."""

    def __init__(self):
        self.groups = []
        self.gate = asyncio.Event()
        self.refused = {}

    async def work(self, asked):
        self.groups.append(list(asked))
        await self.gate.wait()
        for one in asked:
            if one in self.refused:
                raise self.refused[one]
        return [f"{one}!" for one in asked]


def play(story, *, at_once=1):
    async def run():
        desk = Desk()
        return await story(desk, Groups(desk.work, at_once=at_once, hopeless=Unavailable))

    return asyncio.run(run())


async def asked(groups, *names):
    tasks = [asyncio.ensure_future(groups.ask(name)) for name in names]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


class TestGroups:
    def test_the_first_goes_alone_at_once_and_the_others_together(self):
        async def story(desk, groups):
            tasks = await asked(groups, "a", "b", "c")
            assert desk.groups in ([["a"]], [["a", "b", "c"]])
            later = await asked(groups, "d", "e")
            desk.gate.set()
            assert await asyncio.gather(*tasks, *later) == ["a!", "b!", "c!", "d!", "e!"]
            assert desk.groups[-1] == ["d", "e"]

        play(story)

    def test_who_asks_while_it_is_under_way_gets_what_is_read_afterwards(self):
        async def story(desk, groups):
            first = await asked(groups, "a")
            second = await asked(groups, "a")
            desk.gate.set()
            await asyncio.gather(*first, *second)
            assert desk.groups == [["a"], ["a"]]

        play(story)

    def test_a_failed_group_is_tried_one_by_one(self):
        async def story(desk, groups):
            desk.refused["b"] = ValueError("b is wrong")
            first = await asked(groups, "x")
            tasks = await asked(groups, "a", "b", "c")
            desk.gate.set()
            found = await asyncio.gather(*first, *tasks, return_exceptions=True)
            assert found[:2] == ["x!", "a!"]
            assert str(found[2]) == "b is wrong"
            assert found[3] == "c!"
            assert desk.groups == [["x"], ["a", "b", "c"], ["a"], ["b"], ["c"]]

        play(story)

    def test_what_is_hopeless_for_all_is_not_tried_again(self):
        async def story(desk, groups):
            desk.refused["b"] = away()
            first = await asked(groups, "x")
            tasks = await asked(groups, "a", "b")
            desk.gate.set()
            found = await asyncio.gather(*first, *tasks, return_exceptions=True)
            assert [type(one) for one in found] == [str, Unavailable, Unavailable]
            assert desk.groups == [["x"], ["a", "b"]]

        play(story)

    def test_a_caller_that_went_away_does_not_disturb_the_others(self):
        async def story(desk, groups):
            first = await asked(groups, "x")
            gone, stays = await asked(groups, "a", "b")
            gone.cancel()
            desk.gate.set()
            assert await asyncio.gather(*first, stays) == ["x!", "b!"]

        play(story)

    def test_no_group_is_larger_than_allowed(self):
        async def story(desk, groups):
            first = await asked(groups, "x")
            tasks = await asked(groups, *map(str, range(MOST + 10)))
            desk.gate.set()
            await asyncio.gather(*first, *tasks)
            assert [len(one) for one in desk.groups] == [1, MOST, 10]

        play(story)


class TestCallsTogether:
    @pytest.fixture
    def statements(self, monkeypatch):
        """How many calls each write held."""
        sizes = []
        store = intake.store

        async def counted(wires, calls):
            sizes.append(len(calls))
            return await store(wires, calls)

        monkeypatch.setattr(intake, "store", counted)
        return sizes

    def test_are_runs_of_their_own_with_what_each_carried(self, shop, hooks, statements):
        shop.flow(path="orders")
        bodies = [b'{"id": %d}' % number for number in range(40)]

        async def all_at_once():
            return await asyncio.gather(*(hooks.apost(body=body) for body in bodies))

        replies = hooks.run(all_at_once())
        assert {reply.status for reply in replies} == {202}
        ids = [reply.json["run"] for reply in replies]
        assert len(set(ids)) == 40
        assert [shop.started_with(run)["body"]["id"] for run in ids] == list(range(40))
        assert {str(one.run_id) for one in shop.deliveries} == set(ids)
        assert max(statements) > 1

    def test_go_each_to_its_own_address(self, shop, hooks):
        shop.flow(path="orders")
        shop.flow(path="returns")

        async def mixed():
            paths = ["orders", "returns", "nowhere"] * 8
            return await asyncio.gather(*(hooks.apost(path) for path in paths))

        assert [reply.status for reply in hooks.run(mixed())] == [202, 202, 404] * 8
        assert len(shop.runs) == 16

    def test_that_may_be_repeats_are_written_alone(self, shop, hooks, statements):
        shop.flow(path="orders")

        async def same_key():
            headers = {"idempotency-key": "one"}
            return await asyncio.gather(*(hooks.apost(headers=headers) for _ in range(20)))

        replies = hooks.run(same_key())
        assert sorted(reply.status for reply in replies) == [200] * 19 + [202]
        assert len(shop.runs) == 1
        assert set(statements) == {1}

    def test_that_cannot_be_written_take_nobody_with_them(self, shop, hooks, monkeypatch):
        """One call of a group that PostgreSQL refuses is refused alone."""
        shop.flow(path="orders")
        columns = intake._columns

        def broken(calls):
            given = columns(calls)
            given["payloads"][0] = "not json"
            return given

        monkeypatch.setattr(intake, "_columns", broken)

        async def all_at_once():
            return await asyncio.gather(*(hooks.apost() for _ in range(12)))

        assert {reply.status for reply in hooks.run(all_at_once())} == {202}
        assert len(shop.runs) == 12

    def test_are_written_once_though_the_connection_breaks(self, shop, hooks, monkeypatch):
        shop.flow(path="orders")
        run = Wires._run
        broke: list[int] = []

        async def breaking(self, work):
            async def twice(connection):
                given = await work(connection)
                if len(broke) < 3:
                    broke.append(1)
                    await connection.close()
                    async with await self.open() as fresh:
                        return await work(fresh)
                return given

            return await run(self, twice)

        monkeypatch.setattr(Wires, "_run", breaking)

        async def all_at_once():
            return await asyncio.gather(*(hooks.apost() for _ in range(12)))

        assert {reply.status for reply in hooks.run(all_at_once())} == {202}
        assert len(shop.runs) == 12

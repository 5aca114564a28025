"""Queries whose conditions are queries (storage.md 4.3)."""

from pathlib import Path
from typing import Any

from tests.support.api import CLIENT, MASTER, Api, running_api
from tests.support.matchers import With, error, text_with
from tests.support.questions import Question, ask_all, rows, to
from tests.support.scenario import Id, SignedUp, Stored, Token


def author(name: str) -> dict[str, Any]:
    return to("Author", Id(name))


STORED: list[Stored | SignedUp] = [
    SignedUp("zoe", {"mobilePhoneNumber": "18600000000"}),
    Stored("ann", "Author", {"name": "Ann", "age": 30, "city": "x", "o": {"town": "p"}}),
    Stored("bob", "Author", {"name": "Bob", "age": 20, "city": "y", "o": {"town": "q"}}),
    Stored("cid", "Author", {"name": "Cid", "age": 40, "city": "z", "tags": ["k", "l"],
                             "ACL": {Id("zoe"): {"read": True}}}),
    Stored("one", "Post", {"by": author("ann"), "place": "x", "o": {"by": author("bob")}}),
    Stored("two", "Post", {"by": author("bob"), "place": "k", "l": [author("ann"), author("bob")]}),
    Stored("three", "Post", {"by": author("cid"), "place": "y", "places": ["y", "w"]}),
    Stored("four", "Post", {"place": "p", "o": {"town": "q"}}),
    Stored("five", "Post", {"by": to("Author", "gone"), "l": [{"by": author("ann")}]}),
    Stored("first", "Comment", {"post": to("Post", Id("one")), "n": 1}),
    Stored("second", "Comment", {"post": to("Post", Id("two")), "n": 2}),
    Stored("third", "Comment", {"post": to("Post", Id("four")), "n": 3}),
]  # fmt: skip
ALL = ["one", "two", "three", "four", "five"]
ZOE = {**CLIENT, "X-LC-Session": Token("zoe")}


def posts(
    name: str, where: Any, *found: str, headers: Any = None, cls: str = "Post", **params: Any
) -> Question:
    return Question(name, f"/1.1/classes/{cls}", rows(*found), {"where": where, **params}, headers)


def authors(where: Any = None, **params: Any) -> dict[str, Any]:
    return {"className": "Author", **({} if where is None else {"where": where}), **params}


def of(key: str, where: Any = None, **params: Any) -> dict[str, Any]:
    """What ``$select`` and ``$dontSelect`` take."""
    return {"query": authors(where, **params), "key": key}


IN_QUERY = [
    posts("$inQuery", {"by": {"$inQuery": authors({"city": "x"})}}, "one"),
    posts("$inQuery of all, without a where", {"by": {"$inQuery": authors()}}, "one", "two"),
    posts("$inQuery of all, with an empty where", {"by": {"$inQuery": authors({})}}, "one", "two"),
    posts("$inQuery that finds none", {"by": {"$inQuery": authors({"city": "nowhere"})}}),
    posts("$inQuery of an unknown class", {"by": {"$inQuery": {"className": "No", "where": {}}}}),
    posts("$inQuery of another class", {"by": {"$inQuery": {"className": "Comment"}}}),
    posts("$inQuery whose where is a list",
          {"by": {"$inQuery": authors([{"age": {"$gt": 10}}, {"city": "y"}])}}, "two"),
    posts("$inQuery whose where is a text", {"by": {"$inQuery": authors('{"city":"y"}')}}, "two"),
    posts("$inQuery with what it has no use for",
          {"by": {"$inQuery": authors({"city": "x"}, keys="name", include="by", count=1)}}, "one"),
    posts("$inQuery in a list of pointers", {"l": {"$inQuery": authors({"city": "y"})}}, "two"),
    posts("$inQuery at a path", {"o.by": {"$inQuery": authors({"city": "y"})}}, "one"),
    posts("$inQuery at a path through a list", {"l.by": {"$inQuery": authors({"age": 30})}},
          "five"),
    posts("$inQuery on what is no pointer", {"place": {"$inQuery": authors()}}),
    posts("$notInQuery", {"by": {"$notInQuery": authors({"city": "x"})}}, *ALL[1:]),
    posts("$notInQuery that finds none", {"by": {"$notInQuery": authors({"age": 1})}}, *ALL),
    posts("$notInQuery of an unknown class", {"by": {"$notInQuery": {"className": "No"}}}, *ALL),
    posts("$notInQuery in a list of pointers", {"l": {"$notInQuery": authors({"city": "y"})}},
          "one", "three", "four", "five"),
    posts("$notInQuery and $exists", {"by": {"$notInQuery": authors({"age": 30}), "$exists": True}},
          "two", "three", "five"),
    posts("both", {"by": {"$inQuery": authors({"age": {"$lt": 50}}),
                          "$notInQuery": authors({"age": {"$lt": 25}})}}, "one"),
    posts("beside a field", {"by": {"$inQuery": authors()}, "place": "k"}, "two"),
    posts("inside $or", {"$or": [{"by": {"$inQuery": authors({"age": 20})}}, {"place": "p"}]},
          "two", "four"),
    posts("inside $and",
          {"$and": [{"by": {"$inQuery": authors({"age": 20})}}, {"place": "p"}]}),
    posts("inside $nor", {"$nor": [{"by": {"$inQuery": authors()}}]}, "three", "four", "five"),
    posts("inside $not", {"by": {"$not": {"$inQuery": authors()}}}, "three", "four", "five"),
    posts("inner limit", {"by": {"$inQuery": authors(limit=1)}}, "one"),
    posts("inner limit as a text", {"by": {"$inQuery": authors(limit="1")}}, "one"),
    posts("inner skip", {"by": {"$inQuery": authors(skip=1)}}, "two"),
    posts("inner order and limit", {"by": {"$inQuery": authors(order="age", limit=1)}}, "two"),
    posts("inner limit 0", {"by": {"$inQuery": authors(limit=0)}}),
    posts("the outer page", {"by": {"$inQuery": authors()}}, "one", order="place", skip=1),
]  # fmt: skip

SELECT = [
    posts("$select", {"place": {"$select": of("city")}}, "one", "three"),
    posts("$select of a member of a list", {"places": {"$select": of("city")}}, "three"),
    posts("$select with a where", {"place": {"$select": of("city", {"age": 30})}}, "one"),
    posts("$select in order", {"place": {"$select": of("city", order="age", limit=1)}}, "three"),
    posts("$select at a path of the rows", {"place": {"$select": of("o.town")}}, "four"),
    posts("$select at a path", {"o.town": {"$select": of("o.town")}}, "four"),
    posts("$select of a key nobody has", {"place": {"$select": of("nothing")}}),
    posts("$select of none", {"place": {"$select": of("city", {"age": 1})}}),
    posts("$select in an unknown class",
          {"place": {"$select": {"query": {"className": "No"}, "key": "city"}}}),
    posts("$select of ids", {"o.by.objectId": {"$select": of("objectId")}}, "one"),
    posts("$select of pointers", {"by": {"$select": {
        "query": {"className": "Post", "where": {"place": "k"}}, "key": "by"}}}, "two"),
    posts("$select of lists gives their members", {"place": {"$select": of("tags")}}, "two",
          headers=MASTER),
    posts("$dontSelect", {"place": {"$dontSelect": of("city")}}, "two", "four", "five"),
    posts("$dontSelect of none", {"place": {"$dontSelect": of("city", {"age": 1})}}, *ALL),
    posts("$dontSelect in an unknown class",
          {"place": {"$dontSelect": {"query": {"className": "No"}, "key": "city"}}}, *ALL),
]  # fmt: skip

BY_ANN = {"className": "Post", "where": {"by": {"$inQuery": authors({"city": "x"})}}}
NESTED = [
    posts("two deep", {"post": {"$inQuery": BY_ANN}}, "first", cls="Comment"),
    posts("two deep, the inner one negated", {"post": {"$inQuery": {
        "className": "Post", "where": {"by": {"$notInQuery": authors({"city": "x"})}}}}},
        "second", "third", cls="Comment"),
    posts("$select inside $inQuery", {"post": {"$inQuery": {
        "className": "Post", "where": {"place": {"$select": of("city")}}}}}, "first",
        cls="Comment"),
    posts("$inQuery inside $select", {"age": {"$select": {"query": authors(
        {"objectId": {"$in": [Id("bob"), Id("ann")]}}, order="-age", limit=1), "key": "age"}}},
        "ann", cls="Author"),
    posts("three deep", {"n": {"$select": {"query": {
        "className": "Comment", "where": {"post": {"$inQuery": BY_ANN}}}, "key": "n"}}},
        "first", cls="Comment"),
    Question("counted", "/1.1/classes/Comment", {**rows("first"), "count": 2},
             {"where": {"post": {"$inQuery": {"className": "Post",
                                              "where": {"by": {"$inQuery": authors()}}}}},
              "limit": 1, "count": 1}),
]  # fmt: skip

OLD = {"by": {"$inQuery": authors({"age": 40})}}
RIGHTS = [
    posts("an inner row nobody may read", OLD),
    posts("an inner row that a user may read", OLD, "three", headers=ZOE),
    posts("the master key reads inner rows", OLD, "three", headers=MASTER),
    posts("what one may not read is not in", {"by": {"$notInQuery": authors({"age": 40})}}, *ALL),
    posts("a value nobody may read", {"place": {"$select": of("tags")}}),
    posts("a value that a user may read", {"place": {"$select": of("tags")}}, "two", headers=ZOE),
    *(
        posts(f"{column} of users is never selected", {"place": {"$dontSelect": {
            "query": {"className": "_User"}, "key": column}}}, *ALL, headers=headers)
        for column in ("sessionToken", "password", "salt")
        for headers in (None, MASTER)
    ),
    *(
        posts(f"{column} of users is no condition inside",
              {"by": {"$notInQuery": {"className": "_User", "where": {column: {"$exists": True}}}}},
              *ALL)
        for column in ("sessionToken", "password", "salt")
    ),
]  # fmt: skip

NOT_QUERIES: list[tuple[str, Any, Any]] = [
    ("$inQuery of no object", {"by": {"$inQuery": [1]}}, error(1, text_with("$inQuery", "by"))),
    ("$inQuery without a class", {"by": {"$inQuery": {"where": {}}}},
     error(1, text_with("$inQuery", "className"))),
    ("$notInQuery without a class", {"by": {"$notInQuery": {}}}, error(1)),
    ("an inner class that is no text", {"by": {"$inQuery": {"className": 5}}}, error(1)),
    ("an inner where that is no object", {"by": {"$inQuery": authors(5)}}, error(1)),
    ("an inner where that is no JSON", {"by": {"$inQuery": authors("{")}}, error(107)),
    ("an inner operator nobody knows", {"by": {"$inQuery": authors({"age": {"$x": 1}})}},
     error(1, text_with("$x", "age"))),
    ("an inner limit that is no number", {"by": {"$inQuery": authors(limit="all")}},
     error(1, text_with("limit"))),
    ("$select without a key", {"place": {"$select": {"query": authors()}}},
     error(1, text_with("$select", "key"))),
    ("$select without a query", {"place": {"$select": {"key": "city"}}}, error(1)),
    ("$select of no object", {"place": {"$select": "city"}}, error(1)),
    ("$dontSelect with a key that is no text",
     {"place": {"$dontSelect": {"query": authors(), "key": 5}}}, error(1)),
    ("a malformed pointer inside", {"by": {"$inQuery": authors({"p": {"__type": "Pointer"}})}},
     error(106)),
]  # fmt: skip
REFUSED = [
    Question(f"refused: {name}", "/1.1/classes/Post", answer, {"where": where}, status=400)
    for name, where, answer in NOT_QUERIES
]


async def test_subqueries(tmp_path: Path) -> None:
    await ask_all([*IN_QUERY, *SELECT, *NESTED, *RIGHTS, *REFUSED], STORED, tmp_path)


async def many_authors(api: Api, number: int) -> list[str]:
    """Authors with ``n`` from 0 on, made in one batch; their ids."""
    create = {"method": "POST", "path": "/1.1/classes/Author"}
    requests = [{**create, "body": {"n": n}} for n in range(number)]
    answer = await api("POST", "/1.1/batch", {"requests": requests})
    return [one["success"]["objectId"] for one in answer.json]


async def test_an_inner_query_gives_100_rows_unless_it_says_otherwise(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ids = await many_authors(api, 120)
        for n in (0, 99, 100, 119):
            await api.create("Book", n=n, by=to("Author", ids[n]))

        async def books(**inner: Any) -> list[int]:
            where: dict[str, Any] = {"by": {"$inQuery": {"className": "Author", **inner}}}
            answer = await api("GET", "/1.1/classes/Book", where=where)
            by_value = {"n": {"$select": {"query": {"className": "Author", **inner}, "key": "n"}}}
            same = await api("GET", "/1.1/classes/Book", where=by_value)
            assert answer.json == same.json
            return [row["n"] for row in answer.json["results"]]

        assert await books() == [0, 99]
        assert await books(limit=1000) == [0, 99, 100, 119]
        assert await books(limit=5000) == [0, 99, 100, 119]
        assert await books(limit=-1) == [0, 99]
        assert await books(skip=100) == [100, 119]
        assert await books(order="-n") == [99, 100, 119]
        assert await books(order="-n", limit=1) == [119]
        assert await books(order="n", skip=99, limit=2) == [99, 100]


async def test_conditions_of_writes_may_hold_queries(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        ann = await api.create("Author", age=30)
        hidden = await api.create("Author", age=40, ACL={})
        post = await api.create("Post", n=1, by=to("Author", ann))
        path = f"/1.1/classes/Post/{post}"

        async def update(age: int, **headers: Any) -> int:
            where = {"by": {"$inQuery": authors({"age": age})}}
            answer = await api("PUT", path, {"n": 2}, where=where, **headers)
            assert answer.status == 200 or answer.json == error(305)
            return answer.status

        assert await update(20) == 400
        assert await update(30) == 200
        await api("PUT", path, {"by": to("Author", hidden)})
        assert await update(40) == 400
        assert await update(40, headers=MASTER) == 200
        where = {"by": {"$notInQuery": authors({"age": 40})}}
        refused = await api("DELETE", path, where=where, headers=MASTER)
        assert refused.json == error(305)
        assert (await api("DELETE", path, where=where)).json == {}


async def test_long_queries_arrive_in_a_batch(tmp_path: Path) -> None:
    """The JavaScript SDK sends queries of over 2,000 characters so."""
    async with running_api(project=tmp_path) as api:
        ann = await api.create("Author", city="x", name="Ann")
        await api.create("Post", title="of ann", by=to("Author", ann))
        await api.create("Post", title="of nobody")
        names = [f"{'n' * 40}{n}" for n in range(100)]
        where = {
            "by": {"$inQuery": authors({"city": "x", "name": {"$nin": names}})},
            "title": {"$nin": names},
        }
        params = {"where": where, "include": "by", "keys": "title,by.name", "limit": 5, "count": 1}
        member = {"method": "GET", "path": "/1.1/classes/Post", "params": params}
        broken = {**member, "params": {"where": {"by": {"$inQuery": {}}}}}
        unknown = {**member, "path": "/1.1/classes/Nothing"}
        requests = {"requests": [member, broken, unknown]}
        answer = await api("POST", "/1.1/batch", requests)
        (found, refused, absent) = answer.json
        (post,) = found["success"]["results"]
        assert found["success"]["count"] == 1
        assert post == With({"title": "of ann", "by": With({"name": "Ann"}, without=("city",))})
        assert refused == {"error": error(1)}
        assert absent == {"error": error(101, "Class or object doesn't exists.")}

"""The same project in Python and in Node: the same table of requests, answers and fired hooks."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from both_engines import PREFIX, ByEngine, Given, Scenario, check, error
from emu_process import Emulator, copied
from node_packages import INSTALL_SECONDS, copied_with_packages, needs_node
from rest import Rest

pytestmark = pytest.mark.timeout(INSTALL_SECONDS + 60)

LONG = "I almost forgot breathing. " * 10
SHORT = LONG[:140] + "…"


def post_pointer(name: str) -> dict[str, str]:
    return {"__type": "Pointer", "className": "Post", "objectId": f"{{{name}}}"}


def album_pointer(name: str) -> dict[str, str]:
    return {"__type": "Pointer", "className": "Album", "objectId": f"{{{name}}}"}


REVIEW = Given("review", "Review", {"movie": "Gravity", "stars": 5, "comment": "good"})
POST = Given("post", "Post", {"title": "Films of the year"})
ALBUM = Given("album", "Album", {"title": "Summer"})
PHOTO = Given("photo", "Photo", {"album": album_pointer("album")})
ARCHIVED = Given("photo", "Photo", {"album": album_pointer("album"), "archived": True})
TOO_LONG = error(142, PREFIX + "A comment has at most 140 characters.")
NO_COMMENT = error(142, PREFIX + "No comment!")


def member(method: str, path: str, body: Any) -> dict[str, Any]:
    return {"method": method, "path": f"/1.1/classes/{path}", "body": body}


SCENARIOS = [
    Scenario("beforeSave changes what is stored", "POST", "classes/Review",
             {"movie": "Gravity", "stars": 5, "comment": LONG}, 201, "*",
             {"beforeSave Review": 1}, stored={"Review/{new}": {"comment": SHORT, "stars": 5}}),
    Scenario("a create shows what beforeSave made of it", "POST",
             "classes/Review?fetchWhenSave=true", {"comment": LONG}, 201, {"comment": SHORT},
             {"beforeSave Review": 1}),
    Scenario("beforeSave refuses", "POST", "classes/Review", {"movie": "Gravity"}, 400, NO_COMMENT,
             {"beforeSave Review": 1}),
    Scenario("beforeUpdate refuses", "PUT", "classes/Review/{review}", {"comment": LONG}, 400,
             TOO_LONG, {"beforeUpdate Review": 1}, given=(REVIEW,),
             stored={"Review/{review}": {"comment": "good"}}),
    Scenario("beforeUpdate sees which keys change", "PUT", "classes/Review/{review}", {"stars": 4},
             200, {"objectId": "{review}"}, {"beforeUpdate Review": 1}, given=(REVIEW,),
             stored={"Review/{review}": {"comment": "good", "stars": 4}}),
    Scenario("an update of nothing asks no hook", "PUT", "classes/Review/000000000000000000000000",
             {"stars": 4}, 400, {"code": 1}, {}, given=(REVIEW,)),
    Scenario("a condition that does not hold asks no hook", "PUT",
             'classes/Review/{review}?where={"stars":1}', {"stars": 4}, 400, {"code": 305}, {},
             given=(REVIEW,), stored={"Review/{review}": {"stars": 5}}),
    Scenario("afterSave writes another class", "POST", "classes/Comment",
             {"text": "first", "post": post_pointer("post")}, 201, "*", {"afterSave Comment": 1},
             given=(POST,), stored={"Post/{post}": {"commentCount": 1}}),
    Scenario("beforeDelete refuses", "DELETE", "classes/Album/{album}", None, 400,
             error(142, PREFIX + "The album still has photos."), {"beforeDelete Album": 1},
             given=(ALBUM, PHOTO),
             stored={"Album/{album}": {"title": "Summer"},
                     "Photo/{photo}": {"objectId": "{photo}"}}),
    Scenario("afterDelete deletes more", "DELETE", "classes/Album/{album}", None, 200, {},
             {"beforeDelete Album": 1, "afterDelete Album": 1}, given=(ALBUM, ARCHIVED),
             stored={"Album/{album}": None, "Photo/{photo}": None}),
    Scenario("a refused delete ends a list of deletes", "DELETE", "classes/Album/{album},{other}",
             None, 400, error(142, PREFIX + "The album still has photos."),
             {"beforeDelete Album": 1}, given=(ALBUM, PHOTO, Given("other", "Album", {"n": 1})),
             stored={"Album/{other}": {"n": 1}}),
    Scenario("a class without hooks fires nothing", "PUT", "classes/Post/{post}", {"title": "new"},
             200, {"objectId": "{post}"}, {}, given=(POST,),
             stored={"Post/{post}": {"title": "new"}}),
    Scenario("a batch with a refusal", "POST", "batch",
             {"requests": [member("POST", "Review", {"comment": "a"}),
                           member("POST", "Review", {"stars": 1}),
                           member("PUT", "Review/{review}", {"comment": LONG}),
                           member("POST", "Post", {"title": "t"})]}, 200,
             [{"success": "*"}, {"error": NO_COMMENT}, {"error": TOO_LONG}, {"success": "*"}],
             {"beforeSave Review": 2, "beforeUpdate Review": 1}, given=(REVIEW,)),
    Scenario("a batch of deletes with a refusal", "POST", "batch",
             {"requests": [member("DELETE", "Album/{album}", {}),
                           member("DELETE", "Album/{other}", {})]}, 200,
             [{"error": error(142, PREFIX + "The album still has photos.")}, {"success": {}}],
             {"beforeDelete Album": 2, "afterDelete Album": 1},
             given=(ALBUM, PHOTO, Given("other", "Album", {"n": 1})),
             stored={"Album/{album}": {"title": "Summer"}, "Album/{other}": None}),
    Scenario("a client cannot leave hooks out", "POST", "classes/Review",
             {"comment": LONG, "__ignore_hooks": ["beforeSave"]}, 201, "*",
             {"beforeSave Review": 1}, stored={"Review/{new}": {"comment": SHORT}}),
    Scenario("an engine can", "POST", "classes/Review",
             {"comment": LONG, "__ignore_hooks": ["beforeSave"]}, 201, "*", {},
             headers={"X-LC-Hook-Key": "{hook_key}"}, stored={"Review/{new}": {"comment": LONG}}),
    Scenario("a function", "POST", "functions/hello", {"name": "Mia"}, 200,
             {"result": "Hello, Mia!"}, {}),
    Scenario("a function without parameters", "POST", "functions/hello", None, 200,
             {"result": "Hello, world!"}, {}),
    Scenario("the query of a call is no part of the name", "POST", "functions/hello?name=Tom",
             {"name": "Mia"}, 200, {"result": "Hello, Mia!"}, {}),
    Scenario("a function that queries", "POST", "functions/averageStars", {"movie": "Alien"}, 200,
             {"result": 4}, {},
             given=tuple(Given(f"r{n}", "Review", {"movie": "Alien", "stars": n, "comment": "c"})
                         for n in (3, 5))),
    Scenario("a function that returns nothing", "POST", "functions/averageStars",
             {"movie": "no such film"}, 200, ByEngine(python={"result": None}, node={}), {}),
    Scenario("a function that nobody knows", "POST", "functions/averageStar", {}, 404,
             ByEngine(python=error(404, "cloud func named 'averageStar' not found."),
                      node=error(1, "No such cloud function 'averageStar'")), {}),
    Scenario("by call, a scalar", "POST", "call/hello", {"name": "Mia"}, 200,
             ByEngine(python={"result": "Hello, Mia!"}, node={"result": {}}), {}),
    Scenario("a hook through the front door", "POST", "functions/Review/beforeSave",
             {"object": {"comment": "c"}}, 401, {"code": 401}, {}),
    Scenario("a hook through the front door with the hook key", "POST",
             "functions/Review/beforeSave", {"object": {"comment": LONG}, "user": None}, 200,
             {"comment": SHORT}, {"beforeSave Review": 1},
             headers={"X-LC-Hook-Key": "{hook_key}"}),
]  # fmt: skip

PROJECTS: dict[str, Callable[[Path], Path]] = {
    "python": lambda folder: copied("reviews", folder),
    "node": lambda folder: copied_with_packages("reviews-node", folder),
}


@pytest.fixture(scope="module", params=["python", pytest.param("node", marks=needs_node)])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Rest]]:
    name: str = request.param
    emulator = Emulator(PROJECTS[name](tmp_path_factory.mktemp(name)))
    yield name, Rest(emulator)
    emulator.stop()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_both_engines(scenario: Scenario, engine: tuple[str, Rest]) -> None:
    name, rest = engine
    check(scenario, rest, name)

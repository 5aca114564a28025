"""A log of traces as a day of work on a review site leaves them."""

from contextlib import contextmanager
from typing import Any

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog, Outcome, Span, SpanKind

MASTER_KEY = "master-key-that-must-never-be-shown-7f3a"

CLOUD = """import leancloud
from leancloud import Engine, LeanEngineError, Query

engine = Engine()


@engine.define
def averageStars(movie, **params):
    reviews = Query("Review").equal_to("movie", movie).find()
    print(f"averageStars: {len(reviews)} reviews of {movie}")
    return sum(r.get("stars") for r in reviews) / len(reviews)


@engine.before_save("Review")
def before_review_save(review):
    comment = review.get("comment")
    if not comment:
        raise LeanEngineError("No comment provided!")
    if len(comment) > 140:
        review.set("comment", comment[:140] + "…")
        print(f"cut a comment of {len(comment)} characters")


@engine.after_save("Review")
def after_review_save(review):
    post = review.get("post")
    post.increment("reviews")
    post.save()


@engine.after_update("Post")
def after_post_update(post):
    post.set("seen", True)
    post.save()
"""

COMMENT = (
    "I almost forgot breathing when watching this movie. The first ten minutes alone are worth it: "
    "the stairs, the bath tub: every sound became a threat, and I left the cinema whispering to "
    "my friends for an hour."
)
MIA: dict[str, Json] = {"objectId": "655efbc0d1e2f30010ab9921", "username": "mia"}
POST_ID = "655f08d19c4e2a0011f0aa17"
POINTER: dict[str, Json] = {"__type": "Pointer", "className": "Post", "objectId": POST_ID}

NAMES = frozenset(
    {
        "__before_save_for_Review",
        "__after_save_for_Review",
        "__after_update_for_Post",
        "__before_delete_for_Album",
        "__on_login__User",
        "averageStars",
        "monthlyReport",
        "greet",
    }
)
WHERE = {
    "averageStars": "cloud.py:8",
    "__before_save_for_Review": "cloud.py:15",
    "__after_save_for_Review": "cloud.py:25",
    "__after_update_for_Post": "cloud.py:32",
    "__before_delete_for_Album": "cloud.py:41",
    "__on_login__User": "cloud.py:47",
    "monthlyReport": "cloud.py:52",
    "greet": "cloud.py:71",
}


class Story:
    """Writes traces by moving a clock: milliseconds pass where the code says ``wait``."""

    def __init__(self, log: EventLog, clock: ManualClock) -> None:
        self.log = log
        self.clock = clock

    def wait(self, ms: float) -> None:
        self.clock.advance(ms / 1000)

    @contextmanager
    def step(
        self,
        kind: SpanKind,
        title: str,
        parent: Span | None = None,
        ms: float = 0.0,
        outcome: Outcome = "ok",
        status: int | None = None,
        **detail: Any,
    ) -> Any:
        span = self.log.begin(kind, title, parent, **detail)
        yield span
        self.wait(ms)
        self.log.end(span, outcome, status)

    def request(self, method: str, path: str, parent: Span | None = None, **more: Any) -> Any:
        return self.step("request", f"{method} {path}", parent, method=method, path=path, **more)

    def store(self, op: str, class_name: str, parent: Span, ms: float, **detail: Any) -> None:
        with self.step(
            "storage", f"{op} {class_name}", parent, ms, op=op, class_name=class_name, **detail
        ):
            pass

    def hook(self, name: str, class_name: str, parent: Span, **more: Any) -> Any:
        return self.step(
            "hook", f"{name} {class_name}", parent, hook=name, class_name=class_name, **more
        )

    # -- the traces ----------------------------------------------------------------------------

    def first_load(self) -> None:
        with self.step("reload", "cloud.py", ms=188, reason="first start") as span:
            span.detail["added"] = sorted(NAMES - {"greet"})

    def review(self) -> Span:
        """A saved review: cut by its hook, counted on its post after the answer."""
        before: dict[str, Json] = {
            "movie": "A Quiet Place",
            "stars": 5,
            "comment": COMMENT,
            "post": POINTER,
        }
        after: dict[str, Json] = {**before, "comment": COMMENT[:140] + "…"}
        with self.request(
            "POST",
            "/1.1/classes/Review",
            class_name="Review",
            identity="user",
            user=MIA,
            body=before,
            headers={"X-LC-Key": "app-key-of-the-demo", "Content-Type": "application/json"},
        ) as root:
            self.wait(1.1)
            with self.hook(
                "beforeSave",
                "Review",
                root,
                ms=2.0,
                where="cloud.py:15",
                limit=10.0,
                left=10.0,
                before=before,
                after=after,
                identity="user",
                user=MIA,
            ) as hook:
                self.wait(4.2)
                self.log.printed(hook, "stdout", "cut a comment of 203 characters", "cloud.py:21")
            self.wait(0.4)
            stored = {**after, "objectId": "655fe2a09c4e2a0011f031f0"}
            self.store("insert", "Review", root, 0.5, after=stored, object_id=stored["objectId"])
            self.wait(1.2)
            root.detail["response"] = {"objectId": stored["objectId"]}
            self.log.answered(root)
            with self.hook(
                "afterSave",
                "Review",
                root,
                where="cloud.py:25",
                limit=3.0,
                left=15.0,
                identity="user",
                user=MIA,
            ) as late:
                self.wait(1.4)
                with self.request("GET", f"/1.1/classes/Post/{POST_ID}", late, ms=0.3, status=200):
                    self.wait(1.0)
                self.wait(1.0)
                with self.request(
                    "PUT",
                    f"/1.1/classes/Post/{POST_ID}",
                    late,
                    status=200,
                    class_name="Post",
                    body={"reviews": {"__op": "Increment", "amount": 1}},
                ) as put:
                    self.log.skip(
                        "hook",
                        "beforeUpdate Post",
                        put,
                        hook="beforeUpdate",
                        class_name="Post",
                        reason="not_registered",
                    )
                    self.wait(1.2)
                    self.store(
                        "update",
                        "Post",
                        put,
                        0.6,
                        before={"title": "Quiet films", "reviews": 3},
                        after={"title": "Quiet films", "reviews": 4},
                    )
                    self.wait(2.6)
                    self.log.answered(put)
                    with self.hook(
                        "afterUpdate",
                        "Post",
                        put,
                        ms=5.0,
                        where="cloud.py:32",
                        limit=3.0,
                        left=2.99,
                    ) as third:
                        self.wait(4.0)
                        with self.request(
                            "PUT", f"/1.1/classes/Post/{POST_ID}", third, ms=0.4, status=200
                        ) as again:
                            self.wait(1.7)
                            self.store("update", "Post", again, 0.5)
                            self.log.skip(
                                "hook",
                                "afterUpdate Post",
                                again,
                                hook="afterUpdate",
                                class_name="Post",
                                reason="ignored",
                                ignored=["afterSave", "afterUpdate", "afterDelete"],
                                why={
                                    "en": "afterUpdate of Post did not run: the SDK asked for it.",
                                    "zh": "Post 的 afterUpdate 未执行：这是 SDK 的要求。",
                                },
                            )
                self.wait(2.0)
            root.status = 201
        root.status = 201
        return root  # type: ignore[no-any-return]

    def average(self) -> Span:
        query: Json = {"where": {"movie": "A Quiet Place"}, "limit": 100, "order": "-createdAt"}
        with self.request(
            "POST",
            "/1.1/functions/averageStars",
            function="averageStars",
            identity="anonymous",
            status=200,
            ms=0.8,
        ) as root:
            self.wait(0.9)
            with self.step(
                "function",
                "averageStars",
                root,
                ms=22,
                function="averageStars",
                limit=15.0,
                left=15.0,
                where="cloud.py:8",
                params={"movie": "A Quiet Place"},
                result=4.333333333333333,
            ) as function:
                self.wait(11)
                with self.request(
                    "GET", "/1.1/classes/Review", function, ms=1.0, status=200, class_name="Review"
                ) as get:
                    self.wait(1.2)
                    self.store(
                        "find",
                        "Review",
                        get,
                        1.9,
                        query=query,
                        count=3,
                        rows=[
                            {"objectId": f"655fe2a09c4e2a0011f031f{n}", "stars": n}
                            for n in (3, 5, 5)
                        ],
                    )
                self.log.printed(
                    function, "stdout", "averageStars: 3 reviews of A Quiet Place", "cloud.py:10"
                )
            root.detail["response"] = {"result": 4.333333333333333}
        return root  # type: ignore[no-any-return]

    def rejected(self, project: str) -> Span:
        text = (
            "Traceback (most recent call last):\n"
            '  File "/opt/site-packages/leancloud/cloudfunc.py", line 134, in run\n'
            "    func(obj)\n"
            f'  File "{project}/cloud.py", line 18, in before_review_save\n'
            '    raise LeanEngineError("No comment provided!")\n'
            "leancloud.engine.leanengine.LeanEngineError: No comment provided!\n"
        )
        error: dict[str, Json] = {"code": 142, "message": "No comment provided!", "traceback": text}
        with self.request(
            "POST",
            "/1.1/classes/Review",
            class_name="Review",
            identity="user",
            user=MIA,
            body={"movie": "A Quiet Place", "stars": 2},
            outcome="rejected",
            status=400,
        ) as root:
            self.wait(1.0)
            with self.hook(
                "beforeSave",
                "Review",
                root,
                outcome="rejected",
                where="cloud.py:15",
                limit=10.0,
                left=10.0,
                error=error,
                before={"movie": "A Quiet Place", "stars": 2},
            ):
                self.wait(5.4)
            self.log.skip(
                "storage",
                "insert Review",
                root,
                op="insert",
                class_name="Review",
                reason="not_reached",
            )
            self.log.skip(
                "hook",
                "afterSave Review",
                root,
                hook="afterSave",
                class_name="Review",
                reason="not_reached",
            )
            root.detail["response"] = {"code": 142, "error": "No comment provided!"}
            self.wait(0.5)
        return root  # type: ignore[no-any-return]

    def broken_load(self, project: str) -> Span:
        with self.step(
            "reload",
            "cloud.py",
            ms=21,
            outcome="failed",
            error={
                "message": "NameError: name 'cached' is not defined",
                "traceback": broken_text(project),
            },
        ) as root:
            pass
        return root  # type: ignore[no-any-return]

    def good_load(self) -> Span:
        with self.step(
            "reload", "cloud.py", ms=27, note="1 function added", added=["greet"]
        ) as root:
            pass
        return root  # type: ignore[no-any-return]

    def timed_out(self) -> Span:
        why: Json = {
            "en": "beforeSave had 1.9 s, not 10 s, because the function that saved had used 13.1 "
            "of its 15 s.",
            "zh": "beforeSave 只有 1.9 s 而不是 10 s，因为发起保存的函数已用掉 13.1 s。",
        }
        error: Json = {"code": 124, "message": "The request timed out on the server."}
        with (
            self.request(
                "POST",
                "/1.1/functions/monthlyReport",
                function="monthlyReport",
                identity="master",
                outcome="timeout",
                status=503,
            ) as root,
            self.step(
                "function",
                "monthlyReport",
                root,
                function="monthlyReport",
                limit=15.0,
                left=15.0,
                where="cloud.py:52",
                outcome="timeout",
                error=error,
            ) as function,
        ):
            self.wait(380)
            with self.request("GET", "/1.1/classes/Review", function, status=200, ms=20) as get:
                self.wait(10)
                self.store("find", "Review", get, 350, count=1000)
            self.wait(8100)
            with (
                self.request("POST", "/1.1/classes/Report", function, status=201, ms=40) as save,
                self.hook(
                    "beforeSave",
                    "Report",
                    save,
                    ms=680,
                    where="cloud.py:61",
                    limit=10.0,
                    left=6.14,
                ),
            ):
                pass
            self.wait(3520)
            with self.request(
                "POST", "/1.1/classes/Report", function, outcome="timeout", status=503
            ) as last:
                with self.hook(
                    "beforeSave",
                    "Report",
                    last,
                    ms=1900,
                    where="cloud.py:61",
                    limit=10.0,
                    left=1.9,
                    outcome="timeout",
                    why=why,
                    error=error,
                ):
                    pass
                self.log.skip(
                    "storage",
                    "insert Report",
                    last,
                    op="insert",
                    class_name="Report",
                    reason="not_reached",
                )
        return root  # type: ignore[no-any-return]

    def loop(self) -> Span:
        cycle: Json = [
            {"text": "PUT Post by mia"},
            {"text": "afterUpdate Post", "where": "cloud.py:32"},
            {"text": "post.save()", "where": "cloud.py:35"},
            {"text": "afterUpdate Post", "where": "cloud.py:32"},
            {"text": "post.save()", "where": "cloud.py:35"},
            {"text": "afterUpdate Post: stopped here, code 431", "where": "cloud.py:32"},
        ]
        path = f"/1.1/classes/Post/{POST_ID}"
        why: Json = {
            "en": "afterUpdate of Post kept starting itself through the same object; the third "
            "round was stopped.",
            "zh": "Post 的 afterUpdate 通过同一对象不断触发自身；第三轮被中止。",
        }

        def round_of(parent: Span | None, left: int) -> Span:
            with self.request(
                "PUT", path, parent, class_name="Post", identity="user", user=MIA, status=200
            ) as put:
                self.wait(1.2)
                self.store("update", "Post", put, 0.6)
                self.wait(2.0)
                self.log.answered(put)
                if not left:
                    with self.hook(
                        "afterUpdate",
                        "Post",
                        put,
                        ms=1.0,
                        where="cloud.py:32",
                        outcome="loop",
                        why=why,
                        cycle=cycle,
                        error={"code": 431, "message": "LeanEngine hooks rate limit exceeded."},
                    ):
                        pass
                    return put  # type: ignore[no-any-return]
                with self.hook(
                    "afterUpdate", "Post", put, ms=2.0, where="cloud.py:32", limit=3.0, left=2.98
                ):
                    self.wait(4.0)
                    round_of(put.children[-1], left - 1)
            return put  # type: ignore[no-any-return]

        root = round_of(None, 2)
        root.outcome = "loop"
        return root

    def wide(self, steps: int) -> Span:
        """One function that saves very often."""
        with (
            self.request(
                "POST",
                "/1.1/functions/seedEverything",
                function="seedEverything",
                identity="master",
                status=200,
            ) as root,
            self.step("function", "seedEverything", root, function="seedEverything") as function,
        ):
            for _ in range(steps):
                self.store("insert", "Row", function, 0.2)
        return root  # type: ignore[no-any-return]

    def day(self, project: str) -> None:
        """All of them, oldest first, some minutes apart."""
        self.first_load()
        for chapter in (
            self.timed_out,
            lambda: self.broken_load(project),
            self.loop,
            self.good_load,
            lambda: self.rejected(project),
            self.average,
            self.review,
        ):
            self.wait(41_000)
            chapter()


def broken_text(project: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/opt/lean/boot_python.py", line 88, in <module>\n'
        "    main()\n"
        '  File "/opt/lean/boot_python.py", line 61, in main\n'
        "    spec.loader.exec_module(module)\n"
        '  File "<frozen importlib._bootstrap_external>", line 940, in exec_module\n'
        f'  File "{project}/cloud.py", line 37, in <module>\n'
        "    averageStars = cached(averageStars)\n"
        "NameError: name 'cached' is not defined\n"
    )

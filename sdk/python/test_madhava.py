"""Tests of madhava.py, with nothing but Python: python3 -m unittest test_madhava. Those of the client need a server of
the tests: MADHAVA_TEST_URL, with the kind `acts`, as test/sdk/python.test.ts starts it."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import hashlib
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import types
import typing
import unittest
import uuid
from typing import Annotated, Any, Dict, List, Literal, Optional, Tuple, TypedDict, Union

import madhava
from madhava import ApiError, Bounds, Cancelled, Client, Context, Failure, Refused, Unreachable, Upload, UploadRule
from madhava import WaitTimeout, kind, run_kind

UPLOAD = "0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f"
URL = os.environ.get("MADHAVA_TEST_URL")


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    tags: List[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Tree:
    name: str
    children: List["Tree"] = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    fast: bool


class Needed(TypedDict):
    a: int


def described(function: Any) -> Dict[str, Any]:
    made: Dict[str, Any] = function._madhava_kind.description
    return made


class Schemas(unittest.TestCase):
    def schema(self, hint: Any) -> Dict[str, Any]:
        made = madhava._Schemas()
        return made.whole(made.of(hint))

    def test_says_what_json_a_hint_means(self) -> None:
        cases: List[Tuple[Any, Dict[str, Any]]] = [
            (int, {"type": "integer"}),
            (bool, {"type": "boolean"}),
            (Any, {}),
            (None, {"type": "null"}),
            (Optional[str], {"anyOf": [{"type": "string"}, {"type": "null"}]}),
            (Union[int, List[str]], {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]}),
            (list, {"type": "array"}),
            (list[float], {"type": "array", "items": {"type": "number"}}),
            (Dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
            (dict, {"type": "object"}),
            (Literal["a", 1], {"enum": ["a", 1]}),
            (Colour, {"enum": ["red", "blue"]}),
            (Tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
            (datetime.datetime, {"type": "string", "format": "date-time"}),
            (uuid.UUID, {"type": "string", "format": "uuid"}),
            (Upload, {"x-upload": {}}),
            (Annotated[Upload, UploadRule(types=("image/*",), max_bytes=5)], {"x-upload": {"types": ["image/*"], "maxBytes": 5}}),
            (Annotated[int, Bounds(ge=1, lt=5), "how many"], {"type": "integer", "minimum": 1, "exclusiveMaximum": 5, "description": "how many"}),
            (Annotated[str, Bounds(min_length=1, pattern="^a")], {"type": "string", "minLength": 1, "pattern": "^a"}),
            (Annotated[List[int], Bounds(max_length=3)], {"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
            (Annotated[str, {"format": "email"}], {"type": "string", "format": "email"}),
            (typing.NewType("Id", int), {"type": "integer"}),
        ]
        for hint, wanted in cases:
            with self.subTest(hint=hint):
                self.assertEqual(self.schema(hint), wanted)

    def test_names_what_may_name_itself(self) -> None:
        schema = self.schema(Tree)
        self.assertEqual(schema["$ref"], "#/$defs/Tree")
        self.assertEqual(schema["$defs"]["Tree"]["properties"]["children"]["items"], {"$ref": "#/$defs/Tree"})

    def test_knows_what_may_be_left_out(self) -> None:
        point = self.schema(Point)["$defs"]["Point"]
        self.assertEqual(point["required"], ["x"])
        self.assertEqual(point["properties"]["y"], {"type": "integer", "default": 0})
        self.assertEqual(point["properties"]["tags"]["default"], [])
        self.assertFalse(point["additionalProperties"])
        self.assertNotIn("required", self.schema(Options)["$defs"]["Options"])
        self.assertEqual(self.schema(Needed)["$defs"]["Needed"]["required"], ["a"])

    @unittest.skipIf(sys.version_info < (3, 11), "typing.NotRequired is of Python 3.11")
    def test_sees_not_required_though_annotations_are_postponed(self) -> None:
        late = types.ModuleType("late")
        sys.modules["late"] = late
        self.addCleanup(sys.modules.pop, "late")
        exec(
            "from __future__ import annotations\nfrom typing import NotRequired, TypedDict\n"
            "class T(TypedDict):\n    a: int\n    b: NotRequired[int]\n",
            late.__dict__,
        )
        self.assertEqual(madhava._optional_keys(late.T), {"b"})  # type: ignore[attr-defined]

    def test_refuses_what_json_cannot_express(self) -> None:
        for hint in (bytes, complex, Dict[int, str], set):
            with self.subTest(hint=hint), self.assertRaises(TypeError):
                self.schema(hint)

    def test_makes_a_kind_of_a_function(self) -> None:
        @kind(example={"width": 3}, soft_seconds=5, retry={"delay_seconds": 1}, max_concurrency=2)
        def resize(ctx: Context, width: Annotated[int, Bounds(ge=1)], mode: Literal["fit", "crop"] = "fit") -> Point:
            """Resizes an image

            And more.
            """
            return Point(width)

        said = described(resize)
        self.assertEqual(said["summary"], "Resizes an image")
        self.assertEqual(said["params"]["required"], ["width"])
        self.assertEqual(said["params"]["properties"]["mode"], {"enum": ["fit", "crop"], "default": "fit"})
        self.assertEqual(said["result"]["$ref"], "#/$defs/Point")
        self.assertEqual(said["limits"], {"softSeconds": 5, "hardSeconds": None})
        self.assertEqual((said["retry"], said["maxConcurrency"]), ({"delaySeconds": 1}, 2))
        json.dumps(said, allow_nan=False)
        # it stays a function
        self.assertEqual(resize(None, 4), Point(4))

    def test_refuses_a_function_that_no_params_fit(self) -> None:
        with self.assertRaisesRegex(TypeError, "cannot be a param"):

            @kind
            def stars(*all: int) -> None:
                pass

    def test_reads_params_by_their_hints(self) -> None:
        seen: Dict[str, Any] = {}

        @kind
        def take(
            point: Point,
            colour: Colour,
            when: datetime.datetime,
            pair: Tuple[int, str],
            maybe: Optional[int] = 5,
            options: Options = {"fast": True},
            more: Dict[str, Point] = {},
        ) -> None:
            seen.update(locals())

        params = {
            "point": {"x": 1},
            "colour": "blue",
            "when": "2026-01-31T12:00:00Z",
            "pair": [1, "a"],
            "more": {"a": {"x": 1, "y": 2}},
        }
        run_kind(take, params)
        self.assertEqual(seen["point"], Point(1))
        self.assertIs(seen["colour"], Colour.BLUE)
        self.assertEqual(seen["when"].tzinfo, datetime.timezone.utc)
        self.assertEqual((seen["pair"], seen["maybe"], seen["options"]), ((1, "a"), 5, {"fast": True}))
        self.assertEqual(seen["more"], {"a": Point(1, 2)})
        for change, words in (
            ({"point": {"x": "1"}}, r"params\.point\.x must be an integer"),
            ({"point": {"x": True}}, r"params\.point\.x must be an integer"),
            ({"point": {"x": 1, "z": 1}}, r"params\.point\.z is not known"),
            ({"point": {}}, r"params\.point\.x is required"),
            ({"pair": [1]}, r"params\.pair must have 2 entries"),
            ({"maybe": "x"}, "must be an integer; or .* must be null"),
            ({"extra": 1}, r"params\.extra is not known"),
        ):
            with self.subTest(change=change), self.assertRaisesRegex(TypeError, words):
                run_kind(take, {**params, **change})


@kind(example={"to": 3})
def count(ctx: Context, to: int) -> Dict[str, int]:
    start = ctx.resume or 0
    for n in range(start, to):
        ctx.checkpoint(n)
        ctx.progress(100 * n / to, f"at {n}", [n])
    ctx.log("counted", "debug")
    return {"from": start}


class RunKind(unittest.TestCase):
    def test_answers_what_the_run_has_done(self) -> None:
        run = run_kind(count, {"to": 2})
        self.assertEqual(run.result, {"from": 0})
        self.assertEqual(run.checkpoints, [0, 1])
        self.assertEqual(run.progress, [{"percent": 0, "note": "at 0", "partial": [0]}, {"percent": 50, "note": "at 1", "partial": [1]}])
        self.assertEqual(run.log, ["counted"])
        self.assertEqual(run_kind(count, {"to": 9}, resume=7).result, {"from": 7})

    def test_keeps_files_and_children(self) -> None:
        @kind
        def make(ctx: Context, file: Upload) -> List[str]:
            with file.open() as given:
                ctx.artifact("copy.txt", given.read())
            with open("own", "w") as own:
                own.write("mine")
            ctx.artifact("own", name="own.txt")
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as outside:
                outside.write("outside")
                outside.flush()
                ctx.artifact(outside.name, name="outside.txt")
            with self.assertRaises(Refused):
                ctx.artifact("../x", b"", name="../x")
            one = ctx.submit("count", {"to": 1}, key="k", not_before="2030-01-01T00:00:00Z")
            return [one, ctx.submit("count", {"to": 1}, key="k"), os.getcwd()]

        with tempfile.NamedTemporaryFile() as given:
            given.write(b"abc")
            given.flush()
            run = run_kind(make, {"file": {"$upload": UPLOAD}}, uploads={UPLOAD: given.name})
        self.assertEqual(run.artifacts, {"copy.txt": b"abc", "own.txt": b"mine", "outside.txt": b"outside"})
        self.assertEqual(run.result[0], run.result[1])
        self.assertEqual([child["notBefore"] for child in run.submitted], ["2030-01-01T00:00:00Z"])
        self.assertFalse(os.path.exists(run.result[2]))

    def test_shows_what_a_cancel_does(self) -> None:
        def cancel(call: Any) -> None:
            if "progress" in call:
                raise Cancelled()

        run = run_kind(count, {"to": 5}, on_call=cancel, check=False)
        self.assertIsInstance(run.error, Cancelled)
        self.assertEqual(run.checkpoints, [0])

    def test_refuses_a_result_that_is_no_json(self) -> None:
        for value in (float("nan"), b"bytes", {1: 2}, {1, 2}, object()):

            @kind
            def give() -> Any:
                return value

            with self.subTest(value=value), self.assertRaises((TypeError, ValueError)):
                run_kind(give)


class Served(unittest.TestCase):
    """A kind in a process of its own, with this test in the place of the server."""

    def start(self, body: str, head: str = "@kind", **request: Any) -> "subprocess.Popen[str]":
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = os.path.join(folder.name, "some.py")
        with open(file, "w") as target:
            target.write("import os, signal, subprocess, sys, threading, time\nfrom madhava import *\n\n")
            target.write(f"{head}\ndef some(ctx: Context, value: object = None):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n")
            target.write("\nif __name__ == '__main__':\n    main()\n")
        env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(madhava.__file__))}
        child = subprocess.Popen(
            [sys.executable, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder.name, env=env
        )
        self.addCleanup(child.kill)
        self.addCleanup(lambda: [each.close() for each in (child.stdin, child.stdout, child.stderr) if each])
        assert child.stdin
        child.stdin.write(json.dumps({"id": "i", "attempt": 1, "params": {}, "resume": None, "uploads": {}, **request}) + "\n")
        child.stdin.flush()
        return child

    def lines(self, child: "subprocess.Popen[str]") -> List[Any]:
        assert child.stdout and child.stderr
        lines = [json.loads(line) for line in child.stdout]
        self.errors = child.stderr.read()
        child.wait()
        return lines

    def test_speaks_in_lines_of_json_alone(self) -> None:
        child = self.start(
            """
            print("half", end="")
            ctx.progress(5)
            print(" a line")
            print('{"result": "not mine"}')
            subprocess.run(["echo", '{"result": "nor mine"}'])
            time.sleep(0.5)
            print("last", end="")
            return "ä€😀"
            """
        )
        lines = self.lines(child)
        self.assertEqual(
            lines,
            [
                {"progress": {"percent": 5}},
                {"log": {"text": "half a line", "level": "info"}},
                {"log": {"text": '{"result": "not mine"}', "level": "info"}},
                {"log": {"text": '{"result": "nor mine"}', "level": "info"}},
                {"log": {"text": "last", "level": "info"}},
                {"result": "ä€😀"},
            ],
            self.errors,
        )
        self.assertEqual(child.returncode, 0)

    def test_reports_what_it_raises(self) -> None:
        for body, code, words in (
            ("raise ValueError('no')", "ValueError", "ValueError: no"),
            ("raise KeyError", "KeyError", "KeyError"),
            ("sys.exit(3)", "SystemExit", "SystemExit: 3"),
            ("return float('inf')", "ValueError", "inf is a number"),
            ("return object()", "TypeError", "object is a type"),
        ):
            with self.subTest(body=body):
                child = self.start(body)
                (line,) = self.lines(child)
                self.assertEqual((line["error"]["code"], child.returncode), (code, 1))
                self.assertIn(code, line["error"]["names"])
                self.assertIn(words, line["error"]["message"])
                self.assertIn("Traceback", self.errors)
        child = self.start("try:\n    raise ConnectionResetError\nexcept OSError as error:\n    raise ValueError('no') from error")
        (line,) = self.lines(child)
        self.assertEqual(line["error"]["names"], ["ValueError", "ConnectionResetError", "ConnectionError", "OSError"])
        child = self.start("raise Failure('m', code='MINE', retryable=False, detail={'a': 1})")
        self.assertEqual(self.lines(child), [{"error": {"message": "m", "code": "MINE", "retryable": False, "detail": {"a": 1}}}])

    def test_has_answers_whatever_their_order(self) -> None:
        child = self.start(
            """
            found = {}
            def ask(n):
                found[n] = ctx.submit("k", {"n": n})
            threads = [threading.Thread(target=ask, args=(n,)) for n in range(3)]
            [each.start() for each in threads]
            [each.join() for each in threads]
            try:
                ctx.artifact("x", b"1")
            except Refused as refused:
                found["code"] = refused.code
            return {str(key): value for key, value in found.items()}
            """
        )
        assert child.stdin and child.stdout
        asked = [json.loads(child.stdout.readline())["submit"] for _ in range(3)]
        for one in reversed(asked):
            child.stdin.write(json.dumps({"submitted": {"ref": one["ref"], "id": f"child {one['params']['n']}"}}) + "\n")
        child.stdin.flush()
        artifact = json.loads(child.stdout.readline())["artifact"]
        refused = {"ref": artifact["ref"], "call": "artifact", "code": "ARTIFACT_TOO_LARGE", "message": "no"}
        child.stdin.write(json.dumps({"refused": refused}) + "\n")
        child.stdin.flush()
        wanted = {"0": "child 0", "1": "child 1", "2": "child 2", "code": "ARTIFACT_TOO_LARGE"}
        self.assertEqual(self.lines(child), [{"result": wanted}], getattr(self, "errors", ""))

    def test_is_told_when_nobody_answers_any_more(self) -> None:
        child = self.start("ctx.submit('k')")
        assert child.stdin
        child.stdin.close()
        child.stdin = None
        lines = self.lines(child)
        self.assertEqual(lines[-1]["error"]["code"], "STORE_UNAVAILABLE", self.errors)

    def test_ends_at_a_signal_by_an_exception_or_a_flag(self) -> None:
        child = self.start(
            """
            try:
                print("up")
                time.sleep(600)
            except Exception:
                ctx.log("swallowed")
            finally:
                ctx.log("cleaned")
            """
        )
        assert child.stdout
        child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        self.assertEqual(self.lines(child), [{"log": {"text": "cleaned", "level": "info"}}], getattr(self, "errors", ""))
        self.assertEqual(child.returncode, 143)
        child = self.start(
            """
            print("up")
            while not ctx.cancelled:
                time.sleep(0.01)
            return "stopped"
            """,
            head="@kind(on_cancel='flag')",
        )
        assert child.stdout
        child.stdout.readline()
        child.send_signal(signal.SIGTERM)
        self.assertEqual(self.lines(child), [{"result": "stopped"}])

    def test_writes_whole_lines_though_signals_come(self) -> None:
        child = self.start(
            """
            print("up")
            n = 0
            while not ctx.cancelled:
                n += 1
                ctx.checkpoint(["x" * 5000, n])
            """,
        )
        assert child.stdout
        child.stdout.readline()
        time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        lines = self.lines(child)
        self.assertEqual([line["checkpoint"][1] for line in lines], list(range(1, len(lines) + 1)))
        self.assertEqual(child.returncode, 143, self.errors)

    def test_says_what_it_is_for_where_it_gets_no_task(self) -> None:
        child = subprocess.run(
            [sys.executable, "-c", "from madhava import *\n@kind\ndef f(): pass\nmain()"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(madhava.__file__))},
        )
        self.assertEqual(child.returncode, 2)
        self.assertIn("--describe", child.stderr)


@unittest.skipUnless(URL, "MADHAVA_TEST_URL is not set")
class WithServer(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client(URL or "", patience=30)

    def test_submits_waits_and_reads(self) -> None:
        client = self.client
        task = client.submit("acts", {"act": "give", "value": {"a": ["ä"]}}, title="from Python", max_attempts=3)
        self.assertEqual((task["title"], task["maxAttempts"]), ("from Python", 3))
        done = client.wait(task["id"], timeout=60)
        self.assertEqual((done["status"], client.result(task["id"])), ("SUCCESS", {"a": ["ä"]}))
        long = "x" * 100_000
        self.assertEqual(client.run("acts", {"value": long}), long)
        self.assertIn(task["id"], [each["id"] for each in client.tasks(kind="acts")])
        self.assertIn("acts", [each["name"] for each in client.kinds()])

    def test_submits_once_for_one_key(self) -> None:
        key = uuid.uuid4().hex
        ids = {self.client.submit("acts", {"value": "x"}, idempotency_key=key)["id"] for _ in range(3)}
        self.assertEqual(len(ids), 1)

    def test_raises_what_the_server_refuses(self) -> None:
        for call, status, code in (
            (lambda: self.client.submit("nope"), 422, "KIND_UNKNOWN"),
            (lambda: self.client.submit("acts", {"act": 5}), 422, "PARAMS_INVALID"),
            (lambda: self.client.get(UPLOAD), 404, "TASK_NOT_FOUND"),
            (lambda: self.client.get("../kinds"), 400, None),
        ):
            with self.assertRaises(ApiError) as caught:
                call()
            self.assertEqual(caught.exception.status, status)
            if code is not None:
                self.assertEqual(caught.exception.code, code)
        with self.assertRaisesRegex(ApiError, "KIND_FAILED: for good"):
            self.client.run("acts", {"act": "fail", "value": {"code": "C", "message": "for good"}})

    def test_times_out_cancels_and_retries(self) -> None:
        task = self.client.submit("acts", {"act": "report"})
        with self.assertRaises(WaitTimeout):
            self.client.wait(task["id"], timeout=0.3)
        self.assertIn(self.client.cancel(task["id"])["outcome"], ("requested", "revoked"))
        self.assertEqual(self.client.wait(task["id"], 60)["status"], "REVOKED")
        self.assertEqual(self.client.retry(task["id"])["status"], "PENDING")
        self.client.cancel(task["id"])

    def test_sees_the_events_of_a_task(self) -> None:
        task = self.client.submit("acts", {"act": "count", "value": 5})
        seen = [each["status"] for each in self.client.events(task["id"])]
        self.assertEqual(seen[-1], "SUCCESS")

    def test_sends_and_fetches_files(self) -> None:
        content = bytes(range(256)) * 80_000
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file.bin")
            with open(path, "wb") as file:
                file.write(content)
            upload = self.client.upload(path)
        self.assertEqual((upload["name"], upload["bytes"]), ("file.bin", len(content)))
        told = self.client.run("acts", {"act": "read", "file": {"$upload": upload["id"]}})
        self.assertEqual(told["sha256"], hashlib.sha256(content).hexdigest())
        task = self.client.wait(self.client.submit("acts", {"act": "keep", "value": "kept"})["id"], 60)
        self.assertEqual(self.client.download(task["id"], "kept.txt"), b"kept")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "to.txt")
            self.client.download(task["id"], "kept.txt", path)
            self.assertEqual(os.listdir(folder), ["to.txt"])
            with self.assertRaises(ApiError):
                self.client.download(task["id"], "gone.txt", path)
            with open(path, "rb") as got:
                self.assertEqual(got.read(), b"kept")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers as the test says."""

    script: List[Any] = []
    asked: List[Tuple[str, str, Dict[str, str], bytes]] = []

    def log_message(self, *_args: Any) -> None:
        pass

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.path, dict(self.headers), body))
        status, headers, text = self.script.pop(0)
        if status is None:
            self.connection.close()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = True

    do_GET = do_POST = do_DELETE = do_PATCH = answer


class OddServers(unittest.TestCase):
    def serve(self, *script: Any) -> str:
        Answers.script, Answers.asked = list(script), []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def test_submits_again_with_one_key_where_the_answer_was_lost(self) -> None:
        made = (202, {"Content-Type": "application/json"}, b'{"id": "1"}')
        client = Client(self.serve((None, {}, b""), (503, {"Retry-After": "0"}, b""), made), patience=30)
        self.assertEqual(client.submit("k", {"a": 1}), {"id": "1"})
        keys = {headers["Idempotency-Key"] for _, _, headers, _ in Answers.asked}
        self.assertEqual((len(Answers.asked), len(keys)), (3, 1))

    def test_repeats_nothing_that_may_not_be(self) -> None:
        client = Client(self.serve((None, {}, b"")), patience=30)
        with self.assertRaises(Unreachable):
            client.cancel("1")
        self.assertEqual(len(Answers.asked), 1)

    def test_gives_up_after_its_patience(self) -> None:
        with self.assertRaises(Unreachable):
            Client("http://127.0.0.1:1", patience=0.3).get("1")

    def test_hands_its_key_to_no_other_server(self) -> None:
        other = self.serve((302, {"Location": "http://127.0.0.1:1/steal"}, b""))
        with self.assertRaises(ApiError) as caught:
            Client(other, key="secret", patience=0).get("1")
        self.assertEqual((caught.exception.status, caught.exception.code), (302, "UNEXPECTED_ANSWER"))
        self.assertEqual(Answers.asked[0][2]["Authorization"], "Bearer secret")

    def test_takes_no_half_answer_for_a_whole_one(self) -> None:
        half = (200, {"Content-Type": "application/json", "Content-Length": "100"}, b'{"id": "1"}')
        with self.assertRaises(Unreachable):
            Client(self.serve(half), patience=0).get("1")
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(Unreachable):
                Client(self.serve(half), patience=0).download("1", "x", os.path.join(folder, "x"))
            self.assertEqual(os.listdir(folder), [])

    def test_says_of_an_answer_that_is_not_the_servers(self) -> None:
        with self.assertRaisesRegex(ApiError, "UNEXPECTED_ANSWER: 404"):
            Client(self.serve((404, {"Content-Type": "text/html"}, b"<html>")), patience=0).get("1")

    def test_goes_on_with_an_upload_where_it_ends(self) -> None:
        as_json = {"Content-Type": "application/json"}
        problem = {"Content-Type": "application/problem+json"}
        client = Client(
            self.serve(
                (201, as_json, b'{"id": "u", "bytes": 0}'),
                (None, {}, b""),
                (200, as_json, b'{"id": "u", "bytes": 3}'),
                (409, problem, b'{"code": "UPLOAD_OFFSET", "offset": 5}'),
                (200, as_json, b'{"id": "u", "bytes": 10}'),
                (200, as_json, b'{"id": "u", "bytes": 10, "state": "whole"}'),
            ),
            patience=30,
        )
        self.assertEqual(client.upload(b"0123456789", name="n")["state"], "whole")
        sent = [(path, body) for method, path, _, body in Answers.asked if method == "PATCH"]
        self.assertEqual(
            sent,
            [("/uploads/u?offset=0", b"0123456789"), ("/uploads/u?offset=3", b"3456789"), ("/uploads/u?offset=5", b"56789")],
        )

    def test_speaks_to_a_server_whose_certificate_it_trusts_and_to_no_other(self) -> None:
        import shutil
        import ssl

        if shutil.which("openssl") is None:
            self.skipTest("openssl is not installed")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        key, cert = os.path.join(folder.name, "key"), os.path.join(folder.name, "cert")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert]
            + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            check=True,
            capture_output=True,
        )
        url = self.serve((200, {"Content-Type": "application/json"}, b'{"id": "1"}'))
        Answers.script *= 2
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        del url
        address = f"https://localhost:{server.server_address[1]}"
        trusted = Client(address, tls=ssl.create_default_context(cafile=cert), patience=0)
        self.assertEqual(trusted.get("1"), {"id": "1"})
        with self.assertRaisesRegex(Unreachable, "(?i)certificate"):
            Client(address, patience=0).get("1")


if __name__ == "__main__":
    unittest.main()

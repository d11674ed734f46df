"""Madhava from Python: write kinds of tasks, test them, and talk to a server. One file, standard library only, Python
3.9 and later.

A kind is an executable file in the server's folder of kinds::

    #!/usr/bin/env python3
    from madhava import Context, kind, main

    @kind(example={"words": ["to", "be"]})
    def longest(ctx: Context, words: list[str]) -> str:
        '''Finds the longest word'''
        ctx.progress(50, "half way")
        return max(words, key=len)

    if __name__ == "__main__":
        main()

The type hints become the JSON Schema of params and result. What the function prints goes into the task's log. A test
calls ``run_kind(longest, {"words": ["a"]})``. Elsewhere, ``Client("http://127.0.0.1:8000")`` submits tasks and waits
for them. The protocol between the server and a kind is described in docs/any-language.md.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import inspect
import io
import json
import math
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import types
import typing
import uuid
from typing import Any, Callable, Dict, Iterator, List, Mapping, NoReturn, Optional, Sequence, Tuple, TypeVar, Union

if typing.TYPE_CHECKING:
    import ssl

__all__ = [
    "ApiError",
    "Artifact",
    "Bounds",
    "Cancelled",
    "Client",
    "Context",
    "Failure",
    "Refused",
    "Run",
    "Upload",
    "UploadRule",
    "Unreachable",
    "WaitTimeout",
    "kind",
    "main",
    "run_kind",
]

Json = Any
F = TypeVar("F", bound=Callable[..., Any])
_MISSING: Any = object()


# ---------------------------------------------------------------------------------------------------------------------
# Errors of kinds
# ---------------------------------------------------------------------------------------------------------------------


class Failure(Exception):
    """Raise it to fail the task with a code that ``retryOn`` may name, and a detail for programs.

    :param retryable: False: another attempt would end in the same way, so none is made.
    """

    def __init__(self, message: str, *, code: str = "Failure", retryable: bool = True, detail: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.detail = detail


class Refused(Exception):
    """The server has refused a child or a file. ``code`` is one of docs/errors.md."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Cancelled(BaseException):
    """The task was cancelled, has reached its limit, or the worker shuts down: raised once, in the main thread, when
    SIGTERM comes. Half a second later the program is killed. It is no Exception, so that ``except Exception`` does not
    swallow it."""


# ---------------------------------------------------------------------------------------------------------------------
# Type hints as JSON Schema, and values by them
# ---------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Bounds:
    """What a value may be, for ``Annotated[int, Bounds(ge=1, le=100)]``. Lengths are of texts and of lists. A text in
    ``Annotated`` is the field's description, and a dict holds keywords of JSON Schema."""

    ge: Optional[float] = None
    gt: Optional[float] = None
    le: Optional[float] = None
    lt: Optional[float] = None
    multiple_of: Optional[float] = None
    min_length: Optional[int] = None
    max_length: Optional[int] = None
    pattern: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class UploadRule:
    """What an upload must be, for ``Annotated[Upload, UploadRule(types=("image/*",))]``. It is checked when a task is
    submitted."""

    types: Optional[Sequence[str]] = None
    max_bytes: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Upload:
    """A file that the params name. ``path`` is a copy in the attempt's own folder. ``name`` is what the client has
    called it: a text, never a path."""

    id: str
    path: str
    name: Optional[str]
    bytes: int
    type: str
    sha256: str

    def open(self) -> typing.BinaryIO:
        """The file, open for reading bytes."""
        return open(self.path, "rb")


_UNIONS: Tuple[Any, ...] = (Union,) + ((types.UnionType,) if hasattr(types, "UnionType") else ())
_PLAIN: Dict[Any, Dict[str, Json]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}
#: The keyword of each bound, for numbers, texts and lists.
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "multiple_of": "multipleOf"}
_LENGTHS = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems"), "object": ("minProperties", "maxProperties")}


def _hints(of: Any) -> Dict[str, Any]:
    try:
        return typing.get_type_hints(of, include_extras=True)
    except TypeError as error:
        if sys.version_info < (3, 10) and "|" in str(error):
            raise TypeError(f"{of.__name__}: write Optional[X] or Union[X, Y], since this Python knows no X | Y") from None
        raise


def _is_typed_dict(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def _without_marks(hint: Any) -> Any:
    """``Required[X]``, ``NotRequired[X]``, ``NewType`` and ``type X = ...`` are what they stand for."""
    while True:
        name = getattr(typing.get_origin(hint), "_name", None)
        if name in ("Required", "NotRequired", "ReadOnly"):
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        else:
            return hint


def _optional_keys(hint: Any) -> typing.Set[str]:
    """Those that a TypedDict may lack. With postponed annotations, ``NotRequired`` of a key is not seen by Python before
    3.11, so it is looked for here."""
    optional = set(hint.__optional_keys__)
    for name, inner in _hints(hint).items():
        mark = getattr(typing.get_origin(inner), "_name", None)
        if mark == "NotRequired":
            optional.add(name)
        elif mark == "Required":
            optional.discard(name)
    return optional


class _Schemas:
    """Makes one schema, with the dataclasses and TypedDicts in ``$defs``."""

    def __init__(self) -> None:
        self.defs: Dict[str, Dict[str, Json]] = {}
        self.names: Dict[Any, str] = {}

    def of(self, hint: Any) -> Dict[str, Json]:
        hint = _without_marks(hint)
        if hint is Any or hint is object or hint is inspect.Parameter.empty:
            return {}
        if hint is None:
            return {"type": "null"}
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self._annotated(args[0], args[1:])
        if hint is Upload:
            return {"x-upload": {}}
        try:
            if hint in _PLAIN:
                return dict(_PLAIN[hint])
        except TypeError:
            pass
        if origin in _UNIONS:
            return {"anyOf": [self.of(each) for each in args]}
        if origin is typing.Literal:
            return {"enum": [each.value if isinstance(each, enum.Enum) else each for each in args]}
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return {"enum": [each.value for each in hint]}
        if hint in (list, List) or origin in (list, collections.abc.Sequence, collections.abc.Iterable):
            return {"type": "array", **({"items": self.of(args[0])} if args else {})}
        if hint in (tuple, Tuple):
            return {"type": "array"}
        if origin is tuple:
            return self._tuple(args)
        if dataclasses.is_dataclass(hint) or _is_typed_dict(hint):
            return self._named(hint)
        if hint in (dict, Dict) or origin in (dict, collections.abc.Mapping):
            if args and args[0] is not str:
                raise TypeError(f"{hint}: the keys of a dict must be str")
            return {"type": "object", **({"additionalProperties": self.of(args[1])} if args else {})}
        raise TypeError(f"{hint!r} has no JSON Schema: use types that JSON can express, dataclasses or TypedDicts")

    def _tuple(self, args: Tuple[Any, ...]) -> Dict[str, Json]:
        if len(args) == 2 and args[1] is Ellipsis:
            return {"type": "array", "items": self.of(args[0])}
        given = [] if args == ((),) else list(args)
        count = len(given)
        items: Dict[str, Json] = {"prefixItems": [self.of(each) for each in given]} if given else {}
        return {"type": "array", **items, "items": False, "minItems": count, "maxItems": count}

    def _annotated(self, hint: Any, marks: Sequence[Any]) -> Dict[str, Json]:
        schema = self.of(hint)
        for mark in marks:
            if isinstance(mark, str):
                schema["description"] = mark
            elif isinstance(mark, dict):
                schema.update(mark)
            elif isinstance(mark, UploadRule):
                rule: Dict[str, Json] = {} if mark.types is None else {"types": list(mark.types)}
                schema["x-upload"] = {**rule, **({} if mark.max_bytes is None else {"maxBytes": mark.max_bytes})}
            else:
                self._bounds(schema, mark)
        return schema

    @staticmethod
    def _bounds(schema: Dict[str, Json], mark: Any) -> None:
        """``Bounds``, and what else has its fields, such as the marks of annotated_types."""
        for field, keyword in _KEYWORDS.items():
            value = getattr(mark, field, None)
            if value is not None:
                schema[keyword] = value
        least, most = _LENGTHS.get(schema.get("type", "string"), _LENGTHS["string"])
        for field, keyword in (("min_length", least), ("max_length", most), ("pattern", "pattern")):
            value = getattr(mark, field, None)
            if value is not None:
                schema[keyword] = value

    def _named(self, hint: Any) -> Dict[str, Json]:
        if hint not in self.names:
            name = hint.__name__
            while name in self.defs:
                name += "_"
            self.names[hint] = name
            # known before its fields are, which may name it
            self.defs[name] = {}
            self.defs[name].update(self.object_of(*_fields_of(hint)))
        return {"$ref": f"#/$defs/{self.names[hint]}"}

    def object_of(self, fields: Mapping[str, Any], defaults: Mapping[str, Any], optional: typing.Set[str]) -> Dict[str, Json]:
        properties = {}
        for name, hint in fields.items():
            properties[name] = self.of(hint)
            if name in defaults:
                try:
                    properties[name]["default"] = _json_of(defaults[name])
                except (TypeError, ValueError):
                    # filled in here
                    pass
        required = [name for name in fields if name not in defaults and name not in optional]
        return {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,
        }

    def whole(self, schema: Dict[str, Json]) -> Dict[str, Json]:
        return {**schema, **({"$defs": self.defs} if self.defs else {})}


def _fields_of(hint: Any) -> Tuple[Dict[str, Any], Dict[str, Any], typing.Set[str]]:
    """The hints, the defaults, and the names that may be left out, of a dataclass or a TypedDict."""
    hints = _hints(hint)
    if not dataclasses.is_dataclass(hint):
        return hints, {}, _optional_keys(hint)
    defaults: Dict[str, Any] = {}
    fields: Dict[str, Any] = {}
    for field in dataclasses.fields(hint):
        if not field.init:
            continue
        fields[field.name] = hints[field.name]
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = field.default_factory()
    return fields, defaults, set()


def _json_of(value: Any) -> Json:
    """A value of Python as JSON: dataclasses, enums, dates and UUIDs too. Raises TypeError or ValueError with the type
    of what JSON cannot express."""
    if value is None or isinstance(value, (str, bool)):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, enum.Enum):
        return _json_of(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is a number that JSON cannot express")
        return value
    if isinstance(value, Upload):
        return {"$upload": value.id}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _json_of(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a key of a JSON object is a str, and not {type(key).__name__}")
        return {key: _json_of(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_of(each) for each in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is a type that JSON cannot express")


def _check(fits: bool, path: str, what: str) -> None:
    if not fits:
        raise TypeError(f"{path} {what}")


def _instant_of(text: str) -> datetime.datetime:
    # Python 3.9 and 3.10 know no Z
    return datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in ("Z", "z") else text)


def _check_bounds(value: Any, mark: Any, path: str) -> None:
    for field, holds in (
        ("ge", lambda bound: value >= bound),
        ("gt", lambda bound: value > bound),
        ("le", lambda bound: value <= bound),
        ("lt", lambda bound: value < bound),
        ("multiple_of", lambda bound: math.isclose(value / bound, round(value / bound), abs_tol=1e-9)),
        ("min_length", lambda bound: len(value) >= bound),
        ("max_length", lambda bound: len(value) <= bound),
        ("pattern", lambda bound: re.search(bound, value) is not None),
    ):
        bound = getattr(mark, field, None)
        if bound is not None and value is not None:
            _check(holds(bound), path, f"must have {field} {bound}")


def _value_of(hint: Any, value: Json, path: str, upload: Callable[[str], Upload]) -> Any:
    """JSON as the value of Python that the hint asks for. Raises TypeError with the path of what does not fit."""
    hint = _without_marks(hint)
    if hint is Any or hint is object or hint is inspect.Parameter.empty:
        return value
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        made = _value_of(args[0], value, path, upload)
        for mark in args[1:]:
            if not isinstance(mark, (str, dict, UploadRule)):
                _check_bounds(made, mark, path)
        return made
    if hint is None or hint is type(None):
        _check(value is None, path, "must be null")
        return None
    if hint is Upload:
        _check(isinstance(value, dict) and isinstance(value.get("$upload"), str), path, "must name an upload")
        return upload(value["$upload"])
    if origin in _UNIONS:
        problems = []
        for each in args:
            try:
                return _value_of(each, value, path, upload)
            except (TypeError, ValueError) as problem:
                problems.append(str(problem))
        raise TypeError("; or ".join(problems))
    if hint is float:
        _check(isinstance(value, (int, float)) and not isinstance(value, bool), path, "must be a number")
        return float(value)
    if hint is int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        _check(whole and not isinstance(value, bool), path, "must be an integer")
        return int(value)
    if hint is str or hint is bool:
        _check(isinstance(value, hint), path, "must be a text" if hint is str else "must be true or false")
        return value
    if hint in (datetime.datetime, datetime.date, uuid.UUID):
        _check(isinstance(value, str), path, "must be a text")
        make = _instant_of if hint is datetime.datetime else uuid.UUID if hint is uuid.UUID else hint.fromisoformat
        return make(value)
    if origin is typing.Literal:
        for each in args:
            plain = each.value if isinstance(each, enum.Enum) else each
            if plain == value and type(plain) is type(value):
                return each
        raise TypeError(f"{path} must be one of {', '.join(map(repr, args))}")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    if hint in (list, List, tuple, Tuple) or origin in (list, collections.abc.Sequence, collections.abc.Iterable):
        _check(isinstance(value, list), path, "must be a list")
        inner = args[0] if args else Any
        made = [_value_of(inner, each, f"{path}.{at}", upload) for at, each in enumerate(value)]
        return tuple(made) if hint in (tuple, Tuple) else made
    if origin is tuple:
        _check(isinstance(value, list), path, "must be a list")
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_value_of(args[0], each, f"{path}.{at}", upload) for at, each in enumerate(value))
        given = () if args == ((),) else args
        _check(len(value) == len(given), path, f"must have {len(given)} entries")
        return tuple(_value_of(one, each, f"{path}.{at}", upload) for at, (one, each) in enumerate(zip(given, value)))
    _check(isinstance(value, dict), path, "must be an object")
    if dataclasses.is_dataclass(hint) or _is_typed_dict(hint):
        made = _arguments_of(*_fields_of(hint), value, path, upload)
        return hint(**made) if dataclasses.is_dataclass(hint) else made
    inner = args[1] if args else Any
    return {key: _value_of(inner, each, f"{path}.{key}", upload) for key, each in value.items()}


def _arguments_of(
    fields: Mapping[str, Any],
    defaults: Mapping[str, Any],
    optional: typing.Set[str],
    value: Mapping[str, Json],
    path: str,
    upload: Callable[[str], Upload],
) -> Dict[str, Any]:
    for name in value:
        _check(name in fields, f"{path}.{name}", "is not known")
    made = {}
    for name, hint in fields.items():
        if name in value:
            made[name] = _value_of(hint, value[name], f"{path}.{name}", upload)
        elif name in defaults:
            made[name] = defaults[name]
        else:
            _check(name in optional, f"{path}.{name}", "is required")
    return made


# ---------------------------------------------------------------------------------------------------------------------
# Kinds
# ---------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Kind:
    function: Callable[..., Any]
    takes_context: bool
    fields: Dict[str, Any]
    defaults: Dict[str, Any]
    description: Dict[str, Json]
    raises: bool

    def call(self, ctx: "Context", params: Mapping[str, Json]) -> Json:
        values = _arguments_of(self.fields, self.defaults, set(), params, "params", ctx.upload)
        result = self.function(*([ctx] if self.takes_context else []), **values)
        return _json_of(result)


_declared: List[_Kind] = []


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def kind(
    function: Optional[F] = None,
    *,
    summary: Optional[str] = None,
    example: Optional[Mapping[str, Json]] = None,
    max_attempts: Optional[int] = None,
    retry: Optional[Mapping[str, Json]] = None,
    soft_seconds: Optional[float] = None,
    hard_seconds: Optional[float] = None,
    max_concurrency: Optional[int] = None,
    rate: Optional[str] = None,
    on_cancel: typing.Literal["raise", "flag"] = "raise",
) -> Any:
    """Makes a function a kind. Its parameters are the params of a task; a first one that is called ``ctx`` or hinted
    ``Context`` gets the context. The function itself stays as it is.

    :param summary: one sentence; else the first line of the docstring.
    :param example: params that run in a moment; ``{}`` if it is left out.
    :param retry: when an error is retried, such as ``{"delaySeconds": 1, "retryOn": ["ConnectionError"]}``.
    :param soft_seconds: one attempt gets SIGTERM after so long; at ``hard_seconds`` it is killed.
    :param max_concurrency: how many run at a time, over all workers.
    :param rate: how many may begin: ``"10/s"``, ``"90/m"``, ``"5/h"``.
    :param on_cancel: ``"raise"``: SIGTERM raises ``Cancelled``; ``"flag"``: it only sets ``ctx.cancelled``.
    """

    def declare(given: F) -> F:
        hints = _hints(given)
        signature = inspect.signature(given)
        parameters = list(signature.parameters.values())
        first = parameters[0] if parameters else None
        takes_context = first is not None and (first.name == "ctx" or hints.get(first.name) is Context)
        fields: Dict[str, Any] = {}
        defaults: Dict[str, Any] = {}
        for parameter in parameters[1:] if takes_context else parameters:
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise TypeError(f"{given.__name__}: {parameter} cannot be a param of a task: give it a name")
            fields[parameter.name] = hints.get(parameter.name, Any)
            if parameter.default is not parameter.empty:
                defaults[parameter.name] = parameter.default
        words = summary or (inspect.getdoc(given) or "").strip().split("\n")[0] or given.__name__.replace("_", " ")
        params, result = _Schemas(), _Schemas()
        limits = {"softSeconds": soft_seconds, "hardSeconds": hard_seconds}
        more = {
            "maxAttempts": max_attempts,
            "retry": None if retry is None else {_camel(name): value for name, value in retry.items()},
            "limits": limits if any(value is not None for value in limits.values()) else None,
            "maxConcurrency": max_concurrency,
            "rate": rate,
        }
        description = {
            "summary": words,
            "params": params.whole(params.object_of(fields, defaults, set())),
            "result": result.whole(result.of(hints.get("return", Any))),
            "example": _json_of(example or {}),
            **{name: value for name, value in more.items() if value is not None},
            "answers": True,
        }
        made = _Kind(given, takes_context, fields, defaults, description, on_cancel == "raise")
        _declared.append(made)
        given._madhava_kind = made  # type: ignore[attr-defined]
        return given

    return declare if function is None else declare(function)


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A file that is kept with its task."""

    name: str
    bytes: int
    type: str
    sha256: str


class _Channel:
    """Where a context's calls go. ``ask`` waits for an answer, ``send`` does not."""

    def send(self, call: Mapping[str, Json]) -> None:
        raise NotImplementedError

    def ask(self, name: str, call: Dict[str, Json]) -> Dict[str, Json]:
        raise NotImplementedError


class Context:
    """What a running attempt has. Its methods may be called by any thread."""

    def __init__(self, request: Mapping[str, Json], channel: _Channel, folder: str) -> None:
        self._channel = channel
        self._uploads = {
            key.lower(): Upload(id=key, **{name: value[name] for name in ("path", "name", "bytes", "type", "sha256")})
            for key, value in request.get("uploads", {}).items()
        }
        self._made = 0
        self.id: str = request["id"]
        #: 1 for the first try. An attempt that was killed may have had effects.
        self.attempt: int = request["attempt"]
        #: The last checkpoint of an earlier attempt, or None. An older version of the file may have saved it.
        self.resume: Json = request.get("resume")
        #: The attempt's own folder, which is the working directory, and is removed afterwards.
        self.scratch: str = folder
        #: True once the attempt is to end: stop soon.
        self.cancelled: bool = False

    def progress(self, percent: float, note: Optional[str] = None, partial: Json = _MISSING) -> None:
        """Reports 0 to 100, a short note, and a partial result. Cheap: the server keeps the last one of each moment."""
        call: Dict[str, Json] = {"percent": percent}
        if note is not None:
            call["note"] = str(note)
        if partial is not _MISSING:
            call["partial"] = _json_of(partial)
        self._channel.send({"progress": call})

    def log(self, text: object, level: typing.Literal["debug", "info", "warn", "error"] = "info") -> None:
        """Adds a line to the task's log. ``print`` does so too."""
        self._channel.send({"log": {"text": str(text), "level": level}})

    def checkpoint(self, data: Json) -> None:
        """Saves JSON for the next attempt, in case this one is lost; it is then ``resume``."""
        self._channel.send({"checkpoint": _json_of(data)})

    def submit(self, kind: str, params: Optional[Mapping[str, Json]] = None, *, key: Optional[str] = None, **fields: Json) -> str:
        """Submits a child and returns its id as soon as it is durable. With a ``key`` that an earlier attempt has used,
        the answer is that child. ``fields`` are those of ``POST /tasks``: ``title``, ``priority``, ``not_before``...

        :raises Refused: with KIND_UNKNOWN, PARAMS_INVALID and so on
        """
        call: Dict[str, Json] = {"kind": kind, "params": _json_of(params or {})}
        call.update({_camel(name): _json_of(value) for name, value in fields.items()})
        if key is not None:
            call["key"] = key
        return str(self._channel.ask("submit", call)["id"])

    def artifact(
        self,
        path: Union[str, "os.PathLike[str]"],
        data: Union[bytes, str, None] = None,
        *,
        name: Optional[str] = None,
        type: Optional[str] = None,
    ) -> Artifact:
        """Keeps a file with the task: the file at ``path``, or ``data`` under that name. A file that lies outside of
        ``scratch`` is copied first. ``type`` is found in the bytes if it is left out.

        :raises Refused: with ARTIFACT_REFUSED, ARTIFACT_TOO_LARGE, STORE_FULL
        """
        given = os.fspath(path)
        called = name if name is not None else os.path.basename(given)
        file = os.path.realpath(os.path.join(self.scratch, given))
        own = os.path.realpath(self.scratch) + os.sep
        made = None
        if data is not None or not file.startswith(own):
            self._made += 1
            made = os.path.join(self.scratch, f".artifact-{self._made}-{threading.get_ident()}")
            if data is None:
                shutil.copyfile(file, made)
            else:
                with open(made, "wb") as target:
                    target.write(data.encode() if isinstance(data, str) else data)
        try:
            call = {"path": made or file, "name": called, **({} if type is None else {"type": type})}
            kept = self._channel.ask("artifact", call)
            return Artifact(kept["name"], kept["bytes"], kept["type"], kept["sha256"])
        finally:
            if made is not None:
                os.unlink(made)

    def upload(self, ref: Union[str, Mapping[str, str]]) -> Upload:
        """An upload that the params name, by its id or as ``{"$upload": id}``.

        :raises KeyError: for any other
        """
        found = ref if isinstance(ref, str) else ref["$upload"]
        return self._uploads[found.lower()]


# ---------------------------------------------------------------------------------------------------------------------
# Running under a server
# ---------------------------------------------------------------------------------------------------------------------


def _line_of(call: Mapping[str, Json]) -> bytes:
    return json.dumps(call, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


class _Lines:
    """The lines of a file descriptor. A thread that still waits in a buffered reader would abort the exit of Python."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._open = b""

    def next(self) -> Optional[bytes]:
        """None at the end."""
        pieces = [self._open]
        while b"\n" not in pieces[-1]:
            piece = os.read(self._source, 256 * 1024)
            if not piece:
                self._open = b""
                return b"".join(pieces) or None
            pieces.append(piece)
        line, _, self._open = b"".join(pieces).partition(b"\n")
        return line


class _Pipes(_Channel):
    """Calls as lines of the output, answers as lines of the input."""

    def __init__(self, output: int, answers: _Lines) -> None:
        self._output = output
        self._answers = answers
        self._lock = threading.Lock()
        self._waiting: Dict[int, List[Any]] = {}
        self._answered = threading.Condition()
        self._asked = 0
        self._reader: Optional[threading.Thread] = None
        #: A signal that comes while the main thread writes a line waits until the line is whole.
        self.is_writing = False
        self.after_write: Callable[[], None] = lambda: None
        if hasattr(os, "register_at_fork"):
            # another thread may hold it at the moment of a fork
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()
        self._answered = threading.Condition()
        self._reader = None

    def write(self, data: bytes) -> None:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main:
            self.is_writing = True
        try:
            with self._lock:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._output, rest) :]
        finally:
            if in_main:
                self.is_writing = False
        if in_main:
            self.after_write()

    def send(self, call: Mapping[str, Json]) -> None:
        self.write(_line_of(call))

    def ask(self, name: str, call: Dict[str, Json]) -> Dict[str, Json]:
        with self._answered:
            self._asked += 1
            ref = self._asked
            self._waiting[ref] = []
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, daemon=True, name="madhava-answers")
                self._reader.start()
        self.send({name: {**call, "ref": ref}})
        with self._answered:
            while not self._waiting[ref]:
                self._answered.wait()
            answer = self._waiting.pop(ref)[0]
        if answer is None:
            raise Refused("STORE_UNAVAILABLE", "the server gives no answer any more")
        if "refused" in answer:
            raise Refused(answer["refused"]["code"], answer["refused"]["message"])
        told: Dict[str, Json] = next(iter(answer.values()))
        return told

    def _read(self) -> None:
        for line in iter(self._answers.next, None):
            answer = json.loads(line)
            ref = next(iter(answer.values())).get("ref")
            with self._answered:
                if ref in self._waiting:
                    self._waiting[ref].append(answer)
                self._answered.notify_all()
        with self._answered:
            for answers in self._waiting.values():
                answers.append(None)
            self._answered.notify_all()


class _Printed(io.TextIOBase):
    """What is printed, as lines of the log: half a line never runs into a call."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._open = ""
        self._own = threading.RLock()

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    @property
    def buffer(self) -> typing.BinaryIO:
        """Bytes go the way of what other programs print."""
        return open(1, "wb", buffering=0, closefd=False)

    def write(self, text: str) -> int:
        with self._own:
            *lines, self._open = (self._open + text).split("\n")
            if len(self._open) > 4_000:
                lines.append(self._open)
                self._open = ""
        for line in lines:
            self._log(line)
        return len(text)

    def rest(self) -> None:
        with self._own:
            line, self._open = self._open, ""
        if line:
            self._log(line)


def _follow_output(log: Callable[[str], None]) -> Callable[[], None]:
    """What programs that this one starts print on the standard output, as lines of the log. Returns how to end it."""
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)

    def follow() -> None:
        with open(reading, "r", encoding="utf-8", errors="replace", newline="\n") as lines:
            for line in lines:
                log(line.rstrip("\r\n"))

    thread = threading.Thread(target=follow, daemon=True, name="madhava-output")
    thread.start()

    def end() -> None:
        # the last one who holds it may be a program that outlives this one
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
        thread.join(0.2)

    return end


def _error_of(error: BaseException) -> Dict[str, Json]:
    if isinstance(error, Failure):
        told: Dict[str, Json] = {"message": str(error), "code": error.code, "retryable": error.retryable}
        return {**told, **({} if error.detail is None else {"detail": _json_of(error.detail)})}
    code = error.code if isinstance(error, Refused) else type(error).__name__
    text = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return {"message": text[:2_000], "code": _as_name(code), "names": _names_of(error)}


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)[:100] or "_"


def _names_of(error: BaseException) -> List[str]:
    """The classes of an error and of its causes, which ``retryOn`` may name."""
    names: List[str] = []
    cause: Optional[BaseException] = error
    seen: List[BaseException] = []
    while cause is not None and cause not in seen:
        seen.append(cause)
        names += [each.__name__ for each in type(cause).__mro__ if each not in (object, BaseException, Exception)]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return [_as_name(each) for each in dict.fromkeys(names)][:50]


def _serve(made: _Kind) -> int:
    # the own one of this program: what it starts does not inherit it
    lines = _Lines(0)
    pipes = _Pipes(os.dup(1), lines)
    request = json.loads(lines.next() or b"null")
    if not isinstance(request, dict):
        sys.stderr.write(f"{sys.argv[0]} is a kind of Madhava: it runs for a task. --describe says what it does\n")
        return 2
    ctx = Context(request, pipes, os.getcwd())
    raised = False

    def raise_once() -> None:
        nonlocal raised
        if ctx.cancelled and made.raises and not raised and not pipes.is_writing:
            raised = True
            raise Cancelled()

    def on_signal(_number: int, _frame: Any) -> None:
        ctx.cancelled = True
        raise_once()

    pipes.after_write = raise_once
    printed = _Printed(ctx.log)
    end_output = _follow_output(ctx.log)
    sys.stdout = printed  # type: ignore[assignment]
    signal.signal(signal.SIGTERM, on_signal)
    try:
        try:
            result = made.call(ctx, request["params"])
            line = _line_of({"result": result})
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            pipes.after_write = lambda: None
            printed.rest()
            end_output()
        pipes.write(line)
        return 0
    except Cancelled:
        return 128 + signal.SIGTERM
    except BaseException as error:
        traceback.print_exc()
        pipes.send({"error": _error_of(error)})
        return 1


def main(function: Optional[Callable[..., Any]] = None) -> NoReturn:
    """Serves the file's kind: with ``--describe`` says what it is, else runs it for the task that comes on the standard
    input. Does not return. ``function`` is needed only where a file declares several kinds."""
    made = _declared[-1] if function is None and len(_declared) == 1 else getattr(function, "_madhava_kind", None)
    if made is None:
        sys.exit("main() needs one function with @kind, or the function to run: main(function)")
    if "--describe" in sys.argv[1:]:
        print(json.dumps(made.description))
        sys.exit(0)
    code = _serve(made)
    left = [each.name for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    if left:
        sys.stderr.write(f"the run goes on until its threads have ended: {', '.join(left)}\n")
    sys.exit(code)


# ---------------------------------------------------------------------------------------------------------------------
# Testing
# ---------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Run:
    """What a run has done. ``artifacts`` are the bytes by name."""

    result: Json = None
    error: Optional[BaseException] = None
    progress: List[Dict[str, Json]] = dataclasses.field(default_factory=list)
    log: List[str] = dataclasses.field(default_factory=list)
    checkpoints: List[Json] = dataclasses.field(default_factory=list)
    submitted: List[Dict[str, Json]] = dataclasses.field(default_factory=list)
    artifacts: Dict[str, bytes] = dataclasses.field(default_factory=dict)


class _Recorded(_Channel):
    def __init__(self, run: Run, on_call: Optional[Callable[[Mapping[str, Json]], None]]) -> None:
        self._run = run
        self._on_call = on_call

    def send(self, call: Mapping[str, Json]) -> None:
        ((name, value),) = json.loads(_line_of(call)).items()
        if name == "progress":
            self._run.progress.append(value)
        elif name == "log":
            self._run.log.append(value["text"])
        elif name == "checkpoint":
            self._run.checkpoints.append(value)
        if self._on_call:
            self._on_call({name: value})

    def ask(self, name: str, call: Dict[str, Json]) -> Dict[str, Json]:
        import hashlib

        ((_, value),) = json.loads(_line_of({name: call})).items()
        if self._on_call:
            self._on_call({name: value})
        if name == "submit":
            known = [each for each in self._run.submitted if "key" in value and each.get("key") == value["key"]]
            if not known:
                self._run.submitted.append({**value, "id": str(uuid.uuid4())})
            return (known or self._run.submitted)[-1]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", value["name"]):
            raise Refused("ARTIFACT_REFUSED", f"{value['name']!r} is no name of an artifact")
        with open(value["path"], "rb") as file:
            content = file.read()
        self._run.artifacts[value["name"]] = content
        kind_of = value.get("type", "application/octet-stream")
        return {"name": value["name"], "bytes": len(content), "type": kind_of, "sha256": hashlib.sha256(content).hexdigest()}


def run_kind(
    function: Callable[..., Any],
    params: Optional[Mapping[str, Json]] = None,
    *,
    resume: Json = None,
    attempt: int = 1,
    uploads: Optional[Mapping[str, Union[str, "os.PathLike[str]"]]] = None,
    on_call: Optional[Callable[[Mapping[str, Json]], None]] = None,
    check: bool = True,
) -> Run:
    """Runs a kind in this process, without a server, as a worker would: params are read by the type hints, the result
    must be JSON, and the working directory is a folder that is removed afterwards.

    :param uploads: a file for each id that the params name.
    :param on_call: called with each call, such as ``{"checkpoint": 5}``; what it raises comes out of the call: raise
        ``Cancelled()`` to see what a cancel does there.
    :param check: False: an error that the kind raises is in ``error`` of the answer instead of being raised.
    """
    import hashlib

    made: _Kind = getattr(function, "_madhava_kind", _MISSING)
    if made is _MISSING:
        raise TypeError(f"{function!r} is no kind: it has no @kind")
    run = Run()
    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="madhava-") as folder:
        notes: Dict[str, Json] = {}
        for key, path in (uploads or {}).items():
            copy = os.path.join(folder, f"upload-{key}")
            shutil.copyfile(path, copy)
            with open(copy, "rb") as file:
                content = file.read()
            notes[key] = {
                "path": copy,
                "name": os.path.basename(os.fspath(path)),
                "bytes": len(content),
                "type": "application/octet-stream",
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        request = {
            "id": str(uuid.uuid4()),
            "attempt": attempt,
            "resume": json.loads(_line_of({"resume": _json_of(resume)}))["resume"],
            "uploads": notes,
        }
        given = json.loads(_line_of({"params": _json_of(params or {})}))["params"]
        os.chdir(folder)
        try:
            result = made.call(Context(request, _Recorded(run, on_call), folder), given)
            run.result = json.loads(_line_of({"result": result}))["result"]
        except BaseException as error:
            if check or isinstance(error, KeyboardInterrupt):
                raise
            run.error = error
        finally:
            os.chdir(before)
    return run


# ---------------------------------------------------------------------------------------------------------------------
# The client
# ---------------------------------------------------------------------------------------------------------------------


class ApiError(Exception):
    """The server has answered with an error. ``code`` is one of docs/errors.md; ``problem`` is the whole answer."""

    def __init__(self, status: int, problem: Mapping[str, Json], retry_after: Optional[float] = None) -> None:
        self.status = status
        self.code = str(problem.get("code", "UNEXPECTED_ANSWER"))
        self.problem = problem
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {problem.get('detail') or problem.get('title') or status}")


class Unreachable(OSError):
    """No answer came, or it broke off. The server may or may not have done what was asked."""


class WaitTimeout(Exception):
    """The task had not ended in time. ``task`` is its last known state."""

    def __init__(self, task: Mapping[str, Json], seconds: float) -> None:
        super().__init__(f"The task {task['id']} is {task['status']} after {seconds} s")
        self.task = task


_FINAL = ("SUCCESS", "FAILURE", "REVOKED")
_TEMPORARY = (408, 429, 502, 503, 504)
_POLL_SECONDS = 30
_PIECE_BYTES = 8 * 1024 * 1024
_SILENCE_SECONDS = 45


class Client:
    """The REST API of a server. It may be used by several threads.

    :param url: such as ``http://127.0.0.1:8000``; with a path if a proxy adds one.
    :param key: a key or the token of a session; else ``MADHAVA_KEY`` of the environment.
    :param timeout: how long an answer may take, seconds.
    :param patience: how long reads, submits, uploads and waits go on trying while the server is away, seconds.
    :param tls: for ``https``, such as ``ssl.create_default_context(cafile="ca.pem")``; else the system's.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: Optional[str] = None,
        timeout: float = 30.0,
        patience: float = 60.0,
        tls: Optional["ssl.SSLContext"] = None,
    ) -> None:
        import urllib.request

        if not re.match(r"https?://[^/]", url):
            raise ValueError(f"{url!r} is no address: it begins with http:// or https://")
        self._base = url.rstrip("/")
        self._key = key if key is not None else os.environ.get("MADHAVA_KEY")
        self._timeout = timeout
        self._patience = patience
        # a redirect would hand the key to whoever it names
        handlers: List[Any] = [_NoRedirects.made()]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    # -- tasks

    def submit(
        self,
        kind: str,
        params: Optional[Mapping[str, Json]] = None,
        *,
        idempotency_key: Optional[str] = None,
        **fields: Json,
    ) -> Dict[str, Json]:
        """Submits a task and returns its record. A submit that is repeated with its key finds the first task; without
        one there is a random key, so that a lost answer makes no second task. ``fields`` are those of ``POST /tasks``:
        ``title``, ``priority``, ``not_before``, ``max_attempts``..."""
        body = {"kind": kind, "params": _json_of(params or {}), **{_camel(name): _json_of(value) for name, value in fields.items()}}
        header = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self._json("POST", "/tasks", body=body, headers=header, repeat=True)

    def get(self, id: str) -> Dict[str, Json]:
        """The record of a task."""
        return self._json("GET", _task(id), repeat=True)

    def wait(self, id: str, timeout: Optional[float] = None) -> Dict[str, Json]:
        """Waits by long polls until the task has ended, and returns its last record, whatever the end is.

        :raises WaitTimeout: after ``timeout`` seconds
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        task, etag = self._poll(id, None, 0)
        while task["status"] not in _FINAL:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(task, timeout or 0)
            task, etag = self._poll(id, (task, etag), min(_POLL_SECONDS, left))
        return task

    def result(self, id: str) -> Json:
        """The whole result of a task in SUCCESS. One that is a long text comes as ``str``."""
        with self._open("GET", f"{_task(id)}/result", repeat=True) as answer:
            data = _read_whole(answer)
            is_json = answer.headers.get_content_type() == "application/json"
        return json.loads(data) if is_json else data.decode("utf-8")

    def run(self, kind: str, params: Optional[Mapping[str, Json]] = None, *, timeout: Optional[float] = None, **fields: Json) -> Json:
        """Submits, waits, and returns the result.

        :raises ApiError: with the error of a task that did not succeed
        """
        task = self.wait(self.submit(kind, params, **fields)["id"], timeout)
        if task["status"] == "SUCCESS":
            return self.result(task["id"])
        error = task.get("error") or {"code": task["status"], "message": f"The task is {task['status']}"}
        raise ApiError(200, {"code": error["code"], "detail": error["message"], "task": task})

    def cancel(self, id: str) -> Dict[str, Json]:
        """``outcome`` is ``revoked``, or ``requested`` where a worker has to be told."""
        return self._json("DELETE", _task(id))

    def retry(self, id: str) -> Dict[str, Json]:
        """Runs an ended task again."""
        return self._json("POST", f"{_task(id)}/retry")

    def tasks(self, **filter: Union[str, int, Sequence[str]]) -> Iterator[Dict[str, Json]]:
        """All tasks that fit, newest first, page by page: ``tasks(kind="resize", status=["FAILURE"])``."""
        query: Dict[str, Any] = {**filter, "limit": 200}
        while True:
            page = self._json("GET", "/tasks", query=query, repeat=True)
            yield from page["tasks"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def log(self, id: str) -> str:
        """The task's own log as text."""
        with self._open("GET", f"{_task(id)}/log", repeat=True) as answer:
            return _read_whole(answer).decode("utf-8")

    def kinds(self) -> List[Dict[str, Json]]:
        """What can be submitted, with the JSON Schema of params and result."""
        found: List[Dict[str, Json]] = self._json("GET", "/kinds", repeat=True)["kinds"]
        return found

    def events(self, id: str) -> Iterator[Dict[str, Json]]:
        """The task now and after every change, up to its end. A connection that breaks is opened again."""
        cursor, since, failing = "", time.monotonic(), False
        while True:
            try:
                headers = {"Accept": "text/event-stream", **({"Last-Event-ID": cursor} if cursor else {})}
                with self._open("GET", f"{_task(id)}/events", headers=headers, timeout=_SILENCE_SECONDS) as answer:
                    if answer.status == 204:
                        return
                    for name, data, cursor in _events_of(answer, cursor):
                        failing = False
                        if name == "end":
                            if data["reason"] == "final":
                                return
                            break
                        if name == "removed":
                            raise ApiError(404, {"code": "TASK_NOT_FOUND", "detail": f"The task {id} was removed"})
                        if name == "task":
                            yield data
                            if data["status"] in _FINAL:
                                return
            except (Unreachable, ApiError) as error:
                since, failing = (since if failing else time.monotonic()), True
                self._pause(error, since, 1.0)
                continue
            time.sleep(0.5)

    # -- files

    def upload(
        self, source: Union[str, "os.PathLike[str]", bytes, typing.BinaryIO], *, name: Optional[str] = None
    ) -> Dict[str, Json]:
        """Sends a file in pieces, and goes on where it ends after the server was away. A text is a path. Params name it
        as ``{"$upload": upload["id"]}``. What the server has is compared with what was sent."""
        import hashlib

        if isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                return self.upload(file, name=name or os.path.basename(os.fspath(source)))
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        query = {"resumable": 1, **({} if name is None else {"name": name})}
        # of a begin whose answer is lost an upload of no bytes is left, which goes by itself
        upload = self._json("POST", "/uploads", query=query, repeat=True)
        path, digest, at = f"/uploads/{upload['id']}", hashlib.sha256(), 0
        for piece in iter(lambda: stream.read(_PIECE_BYTES), b""):
            digest.update(piece)
            self._send_piece(path, at, piece)
            at += len(piece)
        timeout = self._timeout + at / 16e6
        return self._json("POST", f"{path}/finish", query={"sha256": digest.hexdigest()}, repeat=True, timeout=timeout)

    def download(self, id: str, name: str, to: Union[str, "os.PathLike[str]", None] = None) -> bytes:
        """A file that the task has made. With ``to`` it is written there, whole or not at all, and the answer is empty."""
        from urllib.parse import quote

        path = f"{_task(id)}/artifacts/{quote(name, safe='')}"
        with self._open("GET", path, repeat=True) as answer:
            if to is None:
                return _read_whole(answer)
            target = os.fspath(to)
            handle, aside = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(target)), prefix=".madhava-")
            try:
                with open(handle, "wb") as file:
                    _copy_whole(answer, file)
                os.replace(aside, target)
            except BaseException:
                os.unlink(aside)
                raise
            return b""

    # -- requests

    def _poll(
        self, id: str, known: Optional[Tuple[Dict[str, Json], str]], seconds: float
    ) -> Tuple[Dict[str, Json], str]:
        headers = {} if known is None else {"If-None-Match": known[1]}
        query = {} if known is None else {"wait": f"{seconds:.3f}"}
        more = self._timeout + seconds
        with self._open("GET", _task(id), query=query, headers=headers, repeat=True, timeout=more) as answer:
            if answer.status == 304 and known is not None:
                return known
            return json.loads(_read_whole(answer)), answer.headers.get("ETag", "")

    def _send_piece(self, path: str, at: int, piece: bytes) -> None:
        end, ends, since, failing = at + len(piece), at, time.monotonic(), False
        while ends < end:
            try:
                body = piece[ends - at :]
                ends = self._json("PATCH", path, query={"offset": ends}, content=body)["bytes"]
                failing = False
            except (Unreachable, ApiError) as error:
                told = error.problem.get("offset") if isinstance(error, ApiError) else None
                if not isinstance(told, int):
                    since, failing = (since if failing else time.monotonic()), True
                    self._pause(error, since, 0.2, also=("UPLOAD_BUSY",))
                    told = self._json("GET", path, repeat=True)["bytes"]
                # somebody else writes it
                if not at <= told <= end:
                    raise
                ends = told

    def _json(self, method: str, path: str, **options: Any) -> Dict[str, Json]:
        with self._open(method, path, **options) as answer:
            made: Dict[str, Json] = json.loads(_read_whole(answer))
            return made

    def _pause(self, error: Exception, since: float, delay: float, also: Sequence[str] = ()) -> None:
        """Waits before another try; raises the error where none can help."""
        may_pass = not isinstance(error, ApiError) or error.status in _TEMPORARY or error.code in also
        asked = (error.retry_after or 0.0) if isinstance(error, ApiError) else 0.0
        wait = max(asked, delay)
        if not may_pass or time.monotonic() - since + wait > self._patience:
            raise error
        time.sleep(wait)

    def _open(self, method: str, path: str, *, repeat: bool = False, **options: Any) -> Any:
        """The open answer, after as many tries as the patience allows where the request may be repeated."""
        since, delay = time.monotonic(), 0.1
        while True:
            try:
                return self._once(method, path, **options)
            except (Unreachable, ApiError) as error:
                if not repeat:
                    raise
                self._pause(error, since, delay * (0.5 + 0.5 * (uuid.uuid4().int % 1000) / 1000))
                delay = min(5.0, delay * 2)

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Json = None,
        content: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        import http.client
        import urllib.error
        import urllib.request
        from urllib.parse import urlencode

        url = f"{self._base}{path}{'?' + urlencode(query, doseq=True) if query else ''}"
        data = content if content is not None else None if body is None else json.dumps(body, allow_nan=False).encode()
        request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
        if self._key:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        if content is not None:
            request.add_header("Content-Type", "application/octet-stream")
        elif body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            return self._opener.open(request, timeout=timeout or self._timeout)
        except urllib.error.HTTPError as answer:
            if answer.code == 304:
                return answer
            with answer:
                raise _api_error(answer) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{method} {self._base}{path}: {getattr(error, 'reason', None) or error or type(error).__name__}") from error


class _NoRedirects:
    """The answer to a redirect is an error: the key is for one server."""

    @staticmethod
    def made() -> Any:
        import urllib.request

        class Handler(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_args: Any, **_more: Any) -> None:
                return None

        return Handler()


def _task(id: str) -> str:
    from urllib.parse import quote

    return f"/task/{quote(id, safe='')}"


def _api_error(answer: Any) -> ApiError:
    text = b""
    try:
        text = answer.read()
    except OSError:
        # cut off: treated as no problem document
        pass
    problem: Dict[str, Json] = {"status": answer.code, "detail": f"{answer.code} {answer.reason}"}
    if answer.headers.get_content_type() == "application/problem+json":
        try:
            problem = json.loads(text)
        except ValueError:
            pass
    after = answer.headers.get("Retry-After", "")
    return ApiError(answer.code, problem, float(after) if after.isdigit() else None)


def _copy_whole(answer: Any, target: typing.BinaryIO) -> None:
    """Raises Unreachable when the body breaks off."""
    import http.client

    try:
        expected, written = answer.length, 0
        for piece in iter(lambda: answer.read(256 * 1024), b""):
            written += len(piece)
            target.write(piece)
    except http.client.HTTPException as error:
        raise Unreachable(f"The answer broke off: {type(error).__name__}") from error
    # a read with a size does not tell
    if expected is not None and written < expected:
        raise Unreachable(f"The answer broke off after {written} of {expected} bytes")


def _read_whole(answer: Any) -> bytes:
    whole = io.BytesIO()
    _copy_whole(answer, whole)
    return whole.getvalue()


def _events_of(answer: Any, cursor: str) -> Iterator[Tuple[str, Json, str]]:
    """Server-Sent Events: their name, their data, and the id to go on from."""
    name, data = "", []  # type: Tuple[str, List[str]]
    import http.client

    try:
        for raw in answer:
            line = raw.decode("utf-8").rstrip("\r\n")
            if line == "":
                if data:
                    yield name or "message", json.loads("\n".join(data)), cursor
                name, data = "", []
                continue
            field, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                cursor = value
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"The events broke off: {error or type(error).__name__}") from error

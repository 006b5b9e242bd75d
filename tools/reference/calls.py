"""The page of the gRPC API, from proto/ and its comments."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from gotask.gateway.access.rules import GRPC
from tools.reference.markdown import code, page, table

_INTRODUCTION = """
The services that a gateway serves at `GOTASK_GRPC_PORT`, and their messages. The `.proto` files with the same comments
are in `proto/gotask/v1`; a gateway also answers reflection and health checks. The page on [using gRPC](../grpc.md)
shows calls.
"""
_SERVICES, _MESSAGES, _ENUMS, _METHODS, _FIELDS, _VALUES = 6, 4, 5, 2, 2, 2


class _File:
    """A .proto file with its comments, which protoc keeps by the place of what they explain."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self.proto = file
        self._comments = {
            tuple(each.path): " ".join((each.leading_comments + each.trailing_comments).split())
            for each in file.source_code_info.location
        }

    def comment(self, *place: int) -> str:
        return self._comments.get(place, "")


def grpc_page(proto: Path) -> str:
    """All services and messages below *proto*."""
    files = [_File(each) for each in _descriptors(proto).file if each.package == "gotask.v1"]
    parts = [_INTRODUCTION]
    for file in files:
        for index, service in enumerate(file.proto.service):
            parts += [f"## {service.name}", *_calls(file, index, service)]
    parts.append("## Messages")
    for name, text in sorted(part for file in files for part in _types(file)):
        parts += [f"### {name}", text]
    return page("gRPC reference", *parts)


def _types(file: _File) -> Iterator[tuple[str, str]]:
    """Names and texts of its messages and enumerations."""
    for index, message in enumerate(file.proto.message_type):
        yield message.name, _message(file, index, message)
    for index, enum in enumerate(file.proto.enum_type):
        yield enum.name, _enum(file, index)


def _descriptors(proto: Path) -> FileDescriptorSet:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        files = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
        options = [f"--proto_path={proto}", "--include_source_info", f"--descriptor_set_out={out}"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options, *files], check=True, capture_output=True)
        return FileDescriptorSet.FromString(out.read_bytes())


def _calls(file: _File, index: int, service: ServiceDescriptorProto) -> Iterator[str]:
    yield file.comment(_SERVICES, index)
    for place, method in enumerate(service.method):
        scope = GRPC.get(f"/{file.proto.package}.{service.name}/{method.name}")
        yield f"### {service.name}.{method.name}"
        yield f"{_message_link(method, 'input')} → {_message_link(method, 'output')}, scope {code(scope or '')}"
        yield file.comment(_SERVICES, index, _METHODS, place)


def _message_link(method: MethodDescriptorProto, side: str) -> str:
    name = method.input_type if side == "input" else method.output_type
    streams = method.client_streaming if side == "input" else method.server_streaming
    return ("stream of " if streams else "") + _link(name)


def _link(name: str) -> str:
    short = name.rpartition(".")[2]
    return f"[{short}](#{short.lower()})" if name.startswith(".gotask.") else code(short)


def _message(file: _File, index: int, message: DescriptorProto) -> str:
    rows = (
        (code(field.name), str(field.number), _kind(message, field), file.comment(_MESSAGES, index, _FIELDS, place))
        for place, field in enumerate(message.field)
    )
    fields = table(("field", "number", "type", ""), rows)
    return "\n\n".join(filter(None, [file.comment(_MESSAGES, index), fields]))


def _kind(message: DescriptorProto, field: FieldDescriptorProto) -> str:
    entry = next((each for each in message.nested_type if field.type_name.endswith(f".{each.name}")), None)
    if entry is not None:
        return f"map of {_scalar(entry.field[0])} to {_scalar(entry.field[1])}"
    kind = _link(field.type_name) if field.type_name else _scalar(field)
    return f"list of {kind}" if field.label == FieldDescriptorProto.LABEL_REPEATED else kind


def _scalar(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return _link(field.type_name)
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _enum(file: _File, index: int) -> str:
    rows = (
        (code(value.name), str(value.number), file.comment(_ENUMS, index, _VALUES, place))
        for place, value in enumerate(file.proto.enum_type[index].value)
    )
    return "\n\n".join(filter(None, [file.comment(_ENUMS, index), table(("value", "number", ""), rows)]))

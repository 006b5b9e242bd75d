"""Whether proto/ and that of the last release understand each other: ``python -m tools.compatibility``.

Messages and stored jobs of one version are read by the next while both run. So against the descriptors of the last
release, kept in proto/baseline.binpb, fields, enum values, messages and methods may be added, but none may go, change
its number, its name or its type; what is reserved stays reserved. ``--renew`` makes today's descriptors the baseline,
as is done with each release.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from tools.proto import PROTO, GenerationFailed

BASELINE = PROTO / "baseline.binpb"

Named = TypeVar("Named", DescriptorProto, EnumDescriptorProto, ServiceDescriptorProto)


def descriptors(proto: Path) -> FileDescriptorSet:
    """What the .proto files below *proto* describe; GenerationFailed when protoc refuses them."""
    files = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={proto}", f"--descriptor_set_out={out}"]
        done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
        if done.returncode:
            raise GenerationFailed(done.stderr)
        return FileDescriptorSet.FromString(out.read_bytes())


def breaks(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """What of *old* is gone or means something else in *new*."""
    return [
        *_gone("message", _messages(old), _messages(new)),
        *_gone("enum", _enums(old), _enums(new)),
        *_gone("service", _services(old), _services(new)),
        *(
            text
            for name, (before, now) in _both(_messages(old), _messages(new))
            for text in _in_message(name, before, now)
        ),
        *(text for name, (before, now) in _both(_enums(old), _enums(new)) for text in _in_enum(name, before, now)),
        *(
            text
            for name, (before, now) in _both(_services(old), _services(new))
            for text in _in_service(name, before, now)
        ),
    ]


def _gone(kind: str, old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return [f"{kind} {name} is gone" for name in old if name not in new]


def _both(old: Mapping[str, Named], new: Mapping[str, Named]) -> Iterator[tuple[str, tuple[Named, Named]]]:
    return ((name, (old[name], new[name])) for name in old if name in new)


def _messages(files: FileDescriptorSet) -> dict[str, DescriptorProto]:
    """By full name, nested ones too."""
    waiting = [(f"{file.package}.{each.name}", each) for file in files.file for each in file.message_type]
    found = {}
    while waiting:
        name, message = waiting.pop(0)
        found[name] = message
        waiting += [(f"{name}.{nested.name}", nested) for nested in message.nested_type]
    return found


def _enums(files: FileDescriptorSet) -> dict[str, EnumDescriptorProto]:
    found = {f"{file.package}.{enum.name}": enum for file in files.file for enum in file.enum_type}
    for name, message in _messages(files).items():
        found |= {f"{name}.{enum.name}": enum for enum in message.enum_type}
    return found


def _services(files: FileDescriptorSet) -> dict[str, ServiceDescriptorProto]:
    return {f"{file.package}.{service.name}": service for file in files.file for service in file.service}


def _in_message(name: str, old: DescriptorProto, new: DescriptorProto) -> Iterator[str]:
    numbers = {field.name: field.number for field in new.field}
    fields = {field.number: field for field in new.field}
    for field in old.field:
        if numbers.get(field.name, field.number) != field.number:
            yield f"{name}.{field.name} had the number {field.number} and has {numbers[field.name]}"
        elif field.number not in fields:
            yield f"{name}.{field.name} = {field.number} is gone"
        else:
            yield from _in_field(name, (field, fields[field.number]), (old, new))
    yield from _released(name, old, new, end_included=0)


def _in_field(
    name: str,
    fields: tuple[FieldDescriptorProto, FieldDescriptorProto],
    messages: tuple[DescriptorProto, DescriptorProto],
) -> Iterator[str]:
    old, new = fields
    where = f"{name}.{old.name} = {old.number}"
    if old.name != new.name:
        yield f"{where} is called {new.name} now"
    if (old.type, old.type_name) != (new.type, new.type_name):
        yield f"{where} was {_type(old)} and is {_type(new)}"
    if (old.label, old.proto3_optional) != (new.label, new.proto3_optional):
        yield f"{where} was {_label(old)} and is {_label(new)}"
    before, now = (_oneof(field, message) for field, message in zip(fields, messages, strict=True))
    if before != now:
        yield f"{where} was in {before or 'no oneof'} and is in {now or 'none'}"


def _oneof(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    real = field.HasField("oneof_index") and not field.proto3_optional
    return message.oneof_decl[field.oneof_index].name if real else ""


def _type(field: FieldDescriptorProto) -> str:
    return field.type_name or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _label(field: FieldDescriptorProto) -> str:
    label = FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower()
    return label if field.proto3_optional or label != "optional" else "without presence"


def _in_enum(name: str, old: EnumDescriptorProto, new: EnumDescriptorProto) -> Iterator[str]:
    values = {value.number: value.name for value in new.value}
    for value in old.value:
        if value.number not in values:
            yield f"{name}.{value.name} = {value.number} is gone"
        elif values[value.number] != value.name:
            yield f"{name}.{value.name} = {value.number} is called {values[value.number]} now"
    yield from _released(name, old, new, end_included=1)


def _released(
    name: str,
    old: DescriptorProto | EnumDescriptorProto,
    new: DescriptorProto | EnumDescriptorProto,
    end_included: int,
) -> Iterator[str]:
    """What was reserved and is not any more. The end of an enum's range belongs to it, a message's does not."""
    kept = [range(each.start, each.end + end_included) for each in new.reserved_range]
    for each in old.reserved_range:
        for number in (each.start, each.end + end_included - 1):
            if not any(number in numbers for numbers in kept):
                yield f"{name}: the number {number} is reserved no more"
    for text in old.reserved_name:
        if text not in new.reserved_name:
            yield f"{name}: the name {text} is reserved no more"


def _in_service(name: str, old: ServiceDescriptorProto, new: ServiceDescriptorProto) -> Iterator[str]:
    methods = {method.name: method for method in new.method}
    for method in old.method:
        if (now := methods.get(method.name)) is None:
            yield f"{name}.{method.name} is gone"
        elif (method.input_type, method.output_type) != (now.input_type, now.output_type):
            yield f"{name}.{method.name} takes or gives another message"
        elif (method.client_streaming, method.server_streaming) != (now.client_streaming, now.server_streaming):
            yield f"{name}.{method.name} streams otherwise"


def main() -> int:
    """The exit code: 1 when something breaks, or protoc failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renew", action="store_true")
    try:
        today = descriptors(PROTO)
    except GenerationFailed as error:
        print(error, file=sys.stderr)
        return 1
    if parser.parse_args().renew:
        BASELINE.write_bytes(today.SerializeToString(deterministic=True))
        return 0
    found = breaks(FileDescriptorSet.FromString(BASELINE.read_bytes()), today)
    for text in found:
        print(f"{text}: the last release and this code would not understand each other", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

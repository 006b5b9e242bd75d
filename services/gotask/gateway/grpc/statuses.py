"""Refusals as gRPC says them."""

from collections.abc import Sequence

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from gotask import v1
from gotask.gateway.refusals import Refusal

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS = "grpc-status-details-bin"


def code_of(refusal: Refusal) -> grpc.StatusCode:
    return _CODES[refusal.code]


def details_of(refusal: Refusal) -> Sequence[tuple[str, bytes]]:
    """Trailing metadata that names the fields that were wrong, and tells when to come back."""
    details: list[Message] = []
    if refusal.errors:
        details.append(
            BadRequest(
                field_violations=[
                    BadRequest.FieldViolation(field=error.field, description=error.reason) for error in refusal.errors
                ]
            )
        )
    if refusal.retry_after_s is not None:
        details.append(RetryInfo(retry_delay=Duration(seconds=refusal.retry_after_s)))
    if not details:
        return ()
    status = Status(code=refusal.code, message=refusal.detail, details=[_packed(detail) for detail in details])
    return ((_DETAILS, status.SerializeToString()),)


def _packed(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def status_of(refusal: Refusal) -> v1.Status:
    """Of one item of a larger answer."""
    field = refusal.errors[0].field if refusal.errors else ""
    return v1.Status(code=refusal.code, message=refusal.detail, field=field)

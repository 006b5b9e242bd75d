"""What a gateway answers over gRPC, as users catch it."""

import grpc
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from gotask.sdk.errors import GoTaskError, Unavailable, error_of

_DETAILS = "grpc-status-details-bin"


def as_told(error: grpc.aio.AioRpcError, where: str, timeout_s: float) -> GoTaskError:
    """*where* is the gateway's address, *timeout_s* how long was waited for it."""
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return away(where, timeout_s)
    message = error.details() or error.code().name
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        message = f"{message} ({where})"
    return error_of(error.code().value[0], message, _field(error))


def away(where: str, timeout_s: float) -> Unavailable:
    """Nobody answered."""
    return Unavailable(f"no gateway answered at {where} within {timeout_s:g} s")


def _field(error: grpc.aio.AioRpcError) -> str:
    """The path of the input field that was wrong, where the status names one."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                request = BadRequest()
                if detail.Unpack(request) and request.field_violations:
                    return str(request.field_violations[0].field)
    return ""

"""TLS for the gRPC server."""

from pathlib import Path

import grpc

from gotask.service.tls_files import TlsFiles


def server_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """OSError when a file cannot be read."""
    pair = Path(tls.key).read_bytes(), Path(tls.certificate).read_bytes()
    client_ca = Path(tls.client_ca).read_bytes() if tls.client_ca else None
    return grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)

"""The gateway's settings."""

from typing import Self

from pydantic import Field, model_validator

from gotask.jobs import limits
from gotask.service.addresses import is_loopback
from gotask.service.settings import Names, Port, Seconds, StorageSettings
from gotask.service.tls_files import TlsFiles

_LEAST_SECRET = 32


class GatewaySettings(StorageSettings):
    """Settings of one gateway."""

    http_addr: str = "127.0.0.1"
    """Address that the REST API listens on."""
    http_port: Port = 8080
    grpc_addr: str = ""
    """Address that the gRPC services listen on; that of the REST API, if not given."""
    grpc_port: Port = 50051
    """0 is nowhere."""
    max_payload_bytes: int = Field(limits.MAX_PAYLOAD_BYTES, ge=1)
    """The most bytes of a job's payload, as JSON. Queue-managers have the same setting."""
    max_body_bytes: int = Field(1 << 20, ge=1024)
    """The most bytes of a request's body, unpacked, but for batches."""
    max_batch_body_bytes: int = Field(8 << 20, ge=1024)
    """The most bytes of the body of POST /jobs/batch, unpacked, and of a gRPC message."""
    max_pending_jobs: int = Field(100_000, ge=1_000)
    """Jobs that may be on their way to the queue-managers at once; beyond these, submissions are answered 503."""
    publish_timeout: Seconds = 5.0
    """How long the broker may take to store a submission; then it is answered 503."""
    submit_reply_timeout: Seconds = 2.0
    """How long a queue-manager may take to apply a submission that the broker has stored; then it is answered 202."""
    command_timeout: Seconds = 5.0
    """How long a queue-manager may take to answer a command; then it is answered 503."""
    request_timeout: Seconds = 30.0
    """How long a request over HTTP may take to arrive; then it is answered 408."""
    max_connections: int = Field(10_000, ge=1)
    """Connections over HTTP beyond these are answered 503."""
    tls_cert: str = ""
    """File in PEM form with the certificate (and its chain) that REST and gRPC show. Both speak TLS alone then."""
    tls_key: str = ""
    """File in PEM form with its private key."""
    tls_client_ca: str = ""
    """File in PEM form; clients have to show a certificate that one of these has signed."""
    cors_origins: Names = Field(default_factory=list)
    """Origins of web pages that may call the REST API, such as https://app.example.com, separated by commas; * is
    any."""
    max_watchers: int = Field(1_000, ge=1)
    """How many may follow jobs or events at once, over REST and gRPC together."""
    stream_max_age: Seconds = 3600.0
    """How long one stream of events over HTTP may last; its client comes back and goes on where it stopped."""
    api_keys_file: str = ""
    """File with the hashes of API keys; `gotask keys` makes it. Its keys are asked for from then on."""
    jwt_secret: str = Field("", repr=False)
    """Secret of at least 32 bytes that tokens are signed with by HS256. Tokens are asked for from then on."""
    jwt_public_key_file: str = ""
    """File in PEM form with the public key of tokens that are signed by RS256."""
    jwt_jwks_file: str = ""
    """File with a JSON Web Key Set of public keys for RS256; it is read again when it changes."""
    jwt_audience: str = ""
    """What the claim aud of a token has to hold; anything, if not given."""
    jwt_issuer: str = ""
    """What the claim iss of a token has to be; anything, if not given."""
    allow_anonymous: bool = False
    """Whether everybody may do everything, although the gateway listens on an address that others can reach."""
    rate_limit: float = Field(0, ge=0)
    """Calls per second of each API key or token's subject; each job of a batch counts as one. 0 is no limit. An API key
    may have a rate of its own. Where nobody has to say who they are, the limit is each address's."""
    open_metrics: bool = False
    """Whether /metrics and /api/v1/metrics need no credentials."""
    audit_file: str = ""
    """File that management calls are recorded in, one JSON line each; the log, if not given."""

    @property
    def asks_who(self) -> bool:
        """Whether callers have to say who they are."""
        return any((self.api_keys_file, self.jwt_secret, self.jwt_public_key_file, self.jwt_jwks_file))

    @property
    def tls(self) -> TlsFiles | None:
        return TlsFiles(self.tls_cert, self.tls_key, self.tls_client_ca) if self.tls_cert else None

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("GOTASK_TLS_CERT and GOTASK_TLS_KEY: give both or neither")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("GOTASK_TLS_CLIENT_CA: needs GOTASK_TLS_CERT")
        return self

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        if self.jwt_secret and len(self.jwt_secret.encode()) < _LEAST_SECRET:
            raise ValueError(f"GOTASK_JWT_SECRET: has fewer than {_LEAST_SECRET} bytes")
        if not self.asks_who and not self.allow_anonymous:
            for name, address in {"HTTP": self.http_addr, "GRPC": self.grpc_addr}.items():
                if address and not is_loopback(address):
                    raise ValueError(
                        f"GOTASK_{name}_ADDR: {address} can be reached by others, and nobody would have to say who "
                        "they are; set GOTASK_API_KEYS_FILE or GOTASK_JWT_…, or GOTASK_ALLOW_ANONYMOUS=true if that "
                        "is meant"
                    )
        return self

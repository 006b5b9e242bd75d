"""What a server needs to speak TLS."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """In PEM form. With *client_ca*, clients have to show a certificate that it has signed."""

    certificate: str
    key: str
    client_ca: str = ""

    def check(self) -> None:
        """OSError names the file that cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise OSError(f"{self.certificate} and {self.key} are no certificate and its key: {error}") from None
        if self.client_ca:
            try:
                context.load_verify_locations(self.client_ca)
            except (OSError, ssl.SSLError) as error:
                raise OSError(f"{self.client_ca} holds no certificates: {error}") from None

"""Who may do what, from the settings."""

from pathlib import Path

from gotask.gateway.access.authenticator import Authenticator, TokenCheck
from gotask.gateway.access.keys import ApiKeys, KeyFile, KeyFileUnreadable
from gotask.gateway.settings import GatewaySettings
from gotask.service.clock import Clock
from gotask.service.service import StartFailed


def authenticator(settings: GatewaySettings, clock: Clock) -> Authenticator | None:
    """None where nobody has to say who they are. StartFailed names the file that is wrong."""
    if not settings.asks_who:
        return None
    try:
        keys = ApiKeys(KeyFile(Path(settings.api_keys_file))) if settings.api_keys_file else None
    except KeyFileUnreadable as error:
        raise StartFailed(f"GOTASK_API_KEYS_FILE: {error}") from None
    return Authenticator(clock, keys, _tokens(settings))


def _tokens(settings: GatewaySettings) -> TokenCheck | None:
    if not (settings.jwt_secret or settings.jwt_public_key_file or settings.jwt_jwks_file):
        return None
    # Imported here: cryptography is heavy, and not needed for API keys.
    from gotask.gateway.access.tokens import TokenKeys, Tokens, UnusableKey

    try:
        keys = TokenKeys(
            settings.jwt_secret,
            Path(settings.jwt_public_key_file) if settings.jwt_public_key_file else None,
            Path(settings.jwt_jwks_file) if settings.jwt_jwks_file else None,
        )
    except UnusableKey as error:
        raise StartFailed(f"GOTASK_JWT_…: {error}") from None
    return Tokens(keys, settings.jwt_audience, settings.jwt_issuer).caller

"""The one place that every call passes."""

from collections.abc import Collection

from gotask.bus.errors import Code, CommandError
from gotask.gateway.access.audit import Audit
from gotask.gateway.access.authenticator import Authenticator, Credentials
from gotask.gateway.access.caller import Caller, Scope
from gotask.gateway.access.rates import Rates


class Guard:
    """Lets a call pass, or says why not. Without an *authenticator* everybody may do everything, at their rate."""

    def __init__(self, authenticator: Authenticator | None, rates: Rates, audit: Audit) -> None:
        self._authenticator = authenticator
        self._rates = rates
        self._audit = audit

    def admit(self, call: str, scope: Scope | None, credentials: Credentials) -> Caller:
        """Who makes the *call*, which needs *scope*; with None, no scope is enough.

        CommandError: UNAUTHENTICATED, PERMISSION_DENIED, or RESOURCE_EXHAUSTED for too many calls.
        """
        if self._authenticator is None:
            caller = Caller(f"anonymous at {credentials.address}")
            self._rates.take(caller)
            return caller
        caller = self._authenticator.caller(credentials)
        self._rates.take(caller)
        if scope is None or scope not in caller.scopes:
            if scope in _CHANGING:
                self._audit.write(caller, call, "", Code.PERMISSION_DENIED)
            needed = f"the scope {scope!r}" if scope else "what nobody has"
            raise CommandError(Code.PERMISSION_DENIED, f"{call} needs {needed}, and {caller.name} does not have it")
        return caller


_CHANGING: Collection[Scope | None] = (Scope.MANAGE, None)

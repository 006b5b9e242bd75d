"""Whether strangers could do everything through the dashboard: they reach it, and the gateway asks nobody."""

from gotask.metrics.settings import MetricsSettings
from gotask.service.addresses import is_loopback
from gotask.service.service import StartFailed

_ANSWERED = 200
_REFUSALS = (401, 403)


class Unguarded(StartFailed):
    """Strangers could do everything. The text says what to do."""


class Guard:
    """Asks the gateway for something without credentials, until that was refused once."""

    def __init__(self, settings: MetricsSettings) -> None:
        self._settings = settings
        self.passed = settings.allow_anonymous or is_loopback(settings.dashboard_host)

    async def look(self) -> None:
        """Unguarded when the gateway answered; not passed yet when it is silent."""
        if self.passed:
            return
        status = await self._status()
        self.passed = status in _REFUSALS
        if status == _ANSWERED:
            raise Unguarded(
                f"GOTASK_DASHBOARD_HOST: {self._settings.dashboard_host} can be reached by others, and the gateway at "
                f"{self._settings.gateway_url} asks nobody who they are; give the gateway GOTASK_API_KEYS_FILE or "
                "GOTASK_JWT_…, or set GOTASK_ALLOW_ANONYMOUS=true for the dashboard, too, if that is meant"
            )

    async def _status(self) -> int:
        """Of the gateway's answer; 0 when there is none."""
        # Imported here: httpx is for the dashboard alone.
        from gotask.metrics.dashboard.api import Api, ApiError, open_client

        client = open_client(self._settings.gateway_url, self._settings.gateway_ca)
        try:
            await Api(client).get("/queues")
        except ApiError as error:
            return error.status
        finally:
            await client.aclose()
        return _ANSWERED

"""Runs an app's handlers without servers, for its users' tests.

    from gotask.sdk.testing import Sandbox

    async def test_resizing() -> None:
        async with Sandbox(app) as sandbox:
            job = await resize.submit(url="https://...", width=300)
            await sandbox.run()
            assert await job.result() == {"width": 300}

Nothing runs by itself: :meth:`Sandbox.run` runs what is pending, :meth:`Sandbox.advance` moves the clock, on which
delays, retries and expiry depend. ``Sandbox(app, eager=True)`` runs each job as it is submitted.
:class:`SyncSandbox` is the same for code without an event loop.
"""

from gotask.sdk.testing.sandbox import Sandbox
from gotask.sdk.testing.sync import SyncSandbox

__all__ = ["Sandbox", "SyncSandbox"]

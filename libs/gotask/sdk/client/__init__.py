"""The client: submits jobs, follows them, and sees to queues and schedules, over NATS or gRPC.

    from gotask.sdk import Client

    async with Client("nats://127.0.0.1:4222") as client:
        job = await client.submit("echo", {"message": "hello"})
        print(await job.result())

:class:`~gotask.sdk.client.sync.SyncClient` is the same for code without an event loop.
"""

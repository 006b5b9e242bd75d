"""HTTP under /api/v1: reads requests, asks the gateway's parts, writes documents. Decides nothing about jobs."""

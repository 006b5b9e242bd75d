"""An app whose jobs have a queue of their own."""

from gotask.sdk import App

app = App()


@app.job("greet", queue="greetings")
async def greet(name: str) -> str:
    return f"Hello, {name}!"

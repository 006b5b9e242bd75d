"""Text for columns: PostgreSQL's cannot hold the character NUL, which protobuf's can."""

_ESCAPE = "\x1b"
_NUL = "\0"


def column(text: str) -> str:
    """The text as it is stored. No two texts are stored alike."""
    if _NUL in text or _ESCAPE in text:
        return text.replace(_ESCAPE, _ESCAPE + "e").replace(_NUL, _ESCAPE + "0")
    return text


def columns(texts: list[str]) -> list[str]:
    """As :func:`column`, for many, of which hardly one needs it."""
    together = "".join(texts)
    return [column(text) for text in texts] if _NUL in together or _ESCAPE in together else texts


def original(stored: str) -> str:
    """The text that was stored so."""
    if _ESCAPE in stored:
        return stored.replace(_ESCAPE + "0", _NUL).replace(_ESCAPE + "e", _ESCAPE)
    return stored


def array(texts: list[str]) -> str:
    """The literal of an array of texts."""
    quoted = (column(text).replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"

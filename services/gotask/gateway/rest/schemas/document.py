"""What all documents have in common."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

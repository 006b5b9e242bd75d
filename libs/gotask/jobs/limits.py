"""The bounds of a job's fields, and the values of what is not given."""

import re

TYPE = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
QUEUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
KEY_LENGTH = 256
MAX_PRIORITY = 255
MAX_PAYLOAD_BYTES = 256 * 1024
MAX_RESULT_BYTES = 256 * 1024
MAX_TAGS = 16
TAG_LENGTH = 64
MAX_METADATA = 32
METADATA_KEY_LENGTH = 64
METADATA_VALUE_LENGTH = 512
MAX_RETRIES = 1_000

DEFAULT_QUEUE = "default"
DEFAULT_PRIORITY = 1

"""The contract between GoTask's parts: the messages of proto/gotask/v1, as one flat namespace.

Everything else in this package is generated from the .proto files by ``make proto``.
"""

from gotask.v1.api_pb2 import *
from gotask.v1.event_pb2 import *
from gotask.v1.job_pb2 import *
from gotask.v1.page_pb2 import *
from gotask.v1.queue_pb2 import *
from gotask.v1.schedule_pb2 import *
from gotask.v1.worker_pb2 import *

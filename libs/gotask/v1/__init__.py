"""The contract between GoTask's parts: the messages of proto/gotask/v1, as one flat namespace.

Everything else in this package is generated from the .proto files by ``make proto``. The services themselves are in
``*_service_pb2_grpc``, which import grpc: whoever speaks it imports them by name.
"""

from gotask.v1.api_pb2 import *
from gotask.v1.event_pb2 import *
from gotask.v1.job_pb2 import *
from gotask.v1.job_service_pb2 import *
from gotask.v1.page_pb2 import *
from gotask.v1.queue_pb2 import *
from gotask.v1.queue_service_pb2 import *
from gotask.v1.reading_pb2 import *
from gotask.v1.schedule_pb2 import *
from gotask.v1.schedule_service_pb2 import *
from gotask.v1.worker_pb2 import *
from gotask.v1.worker_service_pb2 import *

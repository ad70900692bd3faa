"""``python s3_server.py PORT``: moto's S3 server, made to fail on demand. Run in moto's environment."""

import sys

from faults import Faults, Faulty
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple

if __name__ == "__main__":
    run_simple(
        "127.0.0.1",
        int(sys.argv[1]),
        Faulty(DomainDispatcherApplication(create_backend_app), Faults()),
        threaded=True,
        request_handler=MotoRequestHandler,
    )

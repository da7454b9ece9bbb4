#!/usr/bin/python3
"""The broker through pika: all that PROTOCOL asks of a broker, in small tests on one broker. RabbitMQ passes them too."""
import sys

from harness import main

try:
    import pika
except ImportError:
    print("SKIP pika: python3-pika is not installed")
    sys.exit(0)

import cases_connection  # noqa: F401
import cases_consume  # noqa: F401
import cases_lifetime  # noqa: F401
import cases_publish  # noqa: F401
import cases_topology  # noqa: F401

if __name__ == "__main__":
    main()

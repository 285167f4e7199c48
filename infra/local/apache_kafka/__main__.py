"""`python -m infra.local.apache_kafka`: fetches Apache Kafka, or says what it needs and exits with 1."""

import sys

from infra.local.apache_kafka import jars, java_binary
from infra.local.errors import CannotStart

try:
    java_binary()
    jars()
except CannotStart as error:
    sys.exit(str(error))

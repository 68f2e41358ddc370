"""The gateway as a service that Envoy asks about requests (external processing, ext_proc, v3): a front of its own.

Rule    Envoy holds the request, and does with it what it is told: send it on as it is, send it on changed, answer it.
        What is wrong with the gateway is no reason to refuse: then the stream fails, and Envoy does as its
        failure_mode_allow says.
Source  envoy/service/ext_proc/v3/external_processor.proto, envoy/extensions/filters/http/ext_proc/v3/ext_proc.proto and
        processing_mode.proto.
Needs   The extra `envoy`: grpcio, and Envoy's messages as they are published. Nothing else of the gateway imports this.
"""

import os

# Read by gRPC as it is imported. Nobody here forks and goes on with gRPC in the child: for that it would pause all else
# at each fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # what it tells of each connection, nobody asked for

"""Mutated requests and mutated answers, over real sockets, against a gateway in this process.

Rule    Whatever a client sends: no more requests reach the upstream than a strict reading of its bytes finds, and
        those; all that comes back is valid HTTP; others are served meanwhile; nothing is left behind.
        Whatever the upstream answers: the client sees that answer, an error of the gateway's, or that it breaks off.
Use     python -m tests.fuzz --seconds N [--seed S]
"""

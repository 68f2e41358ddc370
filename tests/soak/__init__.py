"""Mixed traffic through a gateway process for a long time, in front of an upstream that fails in every way it can.

Rule    Every request and every answer carries a token, and its body is made of it: an answer that reaches another
        request is noticed at once. What became of each request is accounted for at both ends, and the two agree.
        When all is quiet nothing is left: no connection, no task, no file descriptor, no memory.
Use     python -m tests.soak [--seconds 600] [--seed S]
        The same seed makes the same requests; how they meet in time is the machine's.
"""

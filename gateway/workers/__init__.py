"""Several processes that serve on one port, and one that looks after them.

Rule    The supervisor takes no request. It opens the port once and hands it on, so what waits to be accepted outlives
        any one worker. It has the admin listener, and tells for all.
Rule    Nothing is forked from a process that has threads or an event loop: a worker is a new interpreter. It has its
        settings from the supervisor, as the file may have changed meanwhile.
Rule    Whoever dies, the others go on: a worker is replaced, and without a supervisor a worker finishes what it has in
        hand and ends.
"""

"""The store of rejections: SQLite, or PostgreSQL for gateways that share one.

Rule    One way to write SQL for both: SQLAlchemy's Core. What only one of them needs is in `engine` alone.
Rule    It is called from threads, never from the event loop, and so it is synchronous. A thread writes, others read
        (see gateway.rejections.writer and .reader). With an asynchronous engine SQLAlchemy would do its own work, some
        10 us a row, on the event loop that answers requests, for nothing: SQLite's driver has a thread beneath it all
        the same, and one connection to PostgreSQL writes more than a gateway can refuse.
Rule    SQLAlchemy takes 150 ms to import, half of what the gateway needs to start. So this package is imported by the
        thread that first needs it, after the port is open, and nothing outside of it names it at its top.
"""

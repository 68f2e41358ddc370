"""Several gateways work as one: three of them, as processes, behind a balancer, with a PostgreSQL and a Redis.

Rule    Every request has an id, and what became of it is known at each end: at its client, at the balancer (which
        gateway had it), at the upstream (how often it came, with which sender) and in the store of rejections. All four
        agree, whatever is killed meanwhile.
Use     python -m tests.replicas [--seconds 60] [--seed S]
"""

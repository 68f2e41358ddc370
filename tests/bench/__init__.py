"""How fast is the gateway, beside the proxies one would have instead?

    python -m tests.bench [--only ROW]... [--peers NAME]... [--quick] [--json FILE] [--markdown FILE]

One core is the proxy's, another one the upstream's and the load's. Each peer is proven to do what it is timed for,
then the peers are taken in turn. The row "workers" alone pins nothing and has no peers: two workers beside one process,
for which gateway, load and upstream share all cores (`workers.py`). Everything stays on 127.0.0.1, is bounded in time,
and is stopped by its process id. Linux only. What is measured stands in `rows.py`, whom it is measured beside in
`peers/registry.py`.
"""

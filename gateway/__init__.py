"""Close Gateway: refuses at once the email writes that Close is sure to refuse, and forwards all the rest.

The road of a request: the listener makes it an exchange, the router tells what it is. Most go to the forwarder,
bytes up and bytes down. An email write goes to the interceptor: it reads the body, asks the policy for a verdict,
asks Close through the lookups where only Close can know, and forwards, fills the sender in, or refuses.
A refusal is recorded. Everything is built and joined in `gateway.app`.
"""

__version__ = "0.1.0"

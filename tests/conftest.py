"""What holds for the tests of every folder."""

from hypothesis import HealthCheck, settings

# How long an example takes, or to think one up, says something of the machine's load and nothing of the gateway.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

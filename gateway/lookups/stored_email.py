"""What does Close hold under this id? Asked anew each time: a colleague may have changed it a second ago."""

from gateway.exchange import Credentials
from gateway.lookups import client
from gateway.lookups.client import Kind, LookupClient, LookupFailed
from gateway.policy import StoredEmail, stored_email


class StoredEmails:
    """Finds the emails that Close holds."""

    def __init__(self, lookups: LookupClient) -> None:
        self._lookups = lookups

    async def find(self, credentials: Credentials, email_id: str) -> StoredEmail:
        """Ask for an email. Raises LookupFailed where Close does not tell."""
        stored = stored_email(await self._lookups.ask(client.stored_email(email_id), credentials))
        if stored is None:
            raise LookupFailed(Kind.STORED_EMAIL, "no_sender_told")
        return stored

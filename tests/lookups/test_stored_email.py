import pytest

from gateway.lookups.client import Kind, LookupFailed
from gateway.lookups.stored_email import StoredEmails
from gateway.policy import StoredEmail
from gateway.sandbox import Sandbox
from gateway.sandbox.seed import DRAFT_ID, JANE, JOHN, MARY, SIGNED_DRAFT_ID
from gateway.upstream.pool import Pool
from tests.lookups.asking import ANYONE, asker, basic
from tests.pools import pooled
from tests.raw import with_length
from tests.recording import recording


async def test_what_close_holds_is_found(pool: Pool) -> None:
    """A draft without a sender, and one with; a colleague's key does as well."""
    emails = StoredEmails(asker(pool))
    assert await emails.find(basic(JANE), DRAFT_ID) == StoredEmail(None)
    assert await emails.find(basic(JOHN), SIGNED_DRAFT_ID) == StoredEmail('"Jane Roe" <jane@example.com>')


async def test_it_is_asked_anew_each_time(pool: Pool, sandbox: Sandbox) -> None:
    """A colleague may have given the draft a sender a second ago."""
    emails = StoredEmails(asker(pool))
    assert await emails.find(basic(JANE), DRAFT_ID) == StoredEmail(None)
    sandbox.world.update_email(JOHN, DRAFT_ID, {"sender": "john@example.com"})
    assert await emails.find(basic(JANE), DRAFT_ID) == StoredEmail("john@example.com")
    assert len(sandbox.requests) == 2


async def test_what_is_not_there_for_this_key_is_not_found(pool: Pool, sandbox: Sandbox) -> None:
    """Another organization's, one that does not exist, and what is no id, which is not even asked for."""
    emails = StoredEmails(asker(pool))
    for credentials, email_id, reason in (
        (basic(MARY), DRAFT_ID, "status_404"),
        (basic(JANE), "acti_None", "status_404"),
        (ANYONE, DRAFT_ID, "status_401"),
        (basic(JANE), "../../me", "not_an_id"),
    ):
        with pytest.raises(LookupFailed) as failure:
            await emails.find(credentials, email_id)
        assert (failure.value.kind, failure.value.reason) == (Kind.STORED_EMAIL, reason)
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize("body", [b"{}", b'{"id": "acti_1"}', b'{"sender": 7}', b'{"sender": ["jane@example.com"]}'])
async def test_an_answer_that_tells_of_no_sender_is_none(body: bytes) -> None:
    """That there is no sender has to be said: anything else could be the gateway's misunderstanding."""
    async with recording(with_length(b"HTTP/1.1 200 OK\r\n", body)) as upstream, pooled(upstream.url) as pool:
        with pytest.raises(LookupFailed, match=r"^The look-up of the stored_email failed: no_sender_told\.$"):
            await StoredEmails(asker(pool)).find(ANYONE, "acti_1")

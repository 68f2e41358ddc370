"""Do the attachments lie where Close keeps files?

Rule    The `url` of an attachment begins with https://app.close.com/go/file/, as the one does that uploading it gave.
        An attachment without a url has none that does.
Source  developer.close.com: Emails, "Create"; the published API description requires a url, of changes too. The words
        are the nearest that the public validation library has (cleancat: URL).
Needs   The request alone. What is no list, or no object within it, is Close's to answer, and so is what stands behind
        the first hundred: a list may be as long as a body.
"""

from typing import Final

from gateway.policy.email import EmailWrite
from gateway.policy.verdict import Violation, ViolationCode

FILES: Final = "https://app.close.com/go/file/"
LOOKED_AT: Final = 100
"""Attachments of an email."""
ATTACHMENT_URL_INVALID: Final = Violation(ViolationCode.ATTACHMENT_URL_INVALID, "attachments", "Invalid URL.")


def attachment_url(email: EmailWrite) -> Violation | None:
    """Find whether an attachment lies elsewhere, in a new email or a change."""
    if not isinstance(email.attachments, list):
        return None
    for attachment in email.attachments[:LOOKED_AT]:
        if isinstance(attachment, dict) and not is_file(attachment.get("url")):
            return ATTACHMENT_URL_INVALID
    return None


def is_file(url: object) -> bool:
    """Whether this is the URL of a file that Close keeps."""
    return isinstance(url, str) and url.startswith(FILES)

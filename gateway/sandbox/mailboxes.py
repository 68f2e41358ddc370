"""Who is meant by "Jane Roe <jane@example.com>"?

Rule    The address is what stands between the last "<" and the next ">", or all of the text where there is no "<"; the
        name is what stands before it, without the quotes around it. Text that is neither is its own address.
Source  RFC 5322, 3.4, of which no more than this is needed. Python's own reader of addresses may run out of stack over
        text that somebody chose so.
"""


def address_in(text: str) -> str:
    """The address alone, as it is compared: without capitals."""
    return text.rpartition("<")[2].partition(">")[0].strip().lower()


def name_in(text: str) -> str:
    """The name before the address; empty where there is none."""
    return text.rpartition("<")[0].strip().strip('"').strip()

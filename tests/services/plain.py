"""Talking plain HTTP to what a test has started on this machine.

A client reads the machine's certificates when it is made, which takes longer than most calls;
with `PLAIN` in their place it reads none. Its promise: whatever speaks TLS is refused.
"""

import ssl
from typing import Final

PLAIN: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

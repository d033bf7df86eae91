"""`python -m services.sandbox --shop push`: the options that only this system knows."""

import argparse

from services.sandbox.push.sandbox import API_KEY, CALLBACK_SECRET, SandboxPush


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add where Patron is, and by which keys it is spoken to."""
    parser.add_argument("--target", default="http://127.0.0.1:9110", help="Patron's intake")
    parser.add_argument("--api-key", default=API_KEY)
    parser.add_argument("--signing-key", default="", help="sign instead of sending the API key")
    parser.add_argument("--channel", default="crm", help="for signed requests")
    parser.add_argument("--callback-secret", default=CALLBACK_SECRET)
    parser.add_argument("--own-shape", action="store_true", help="needs the channel's mapping")
    parser.add_argument("--push-at-start", action="store_true", help="push everybody at once")


def open_shop(given: argparse.Namespace) -> SandboxPush:
    """Return the system that the options describe."""
    return SandboxPush(
        given.target,
        given.customers,
        given.seed,
        api_key=given.api_key,
        signing_key=given.signing_key,
        channel=given.channel,
        callback_secret=given.callback_secret,
        awkward=not given.tidy,
        speaks_own_shape=given.own_shape,
        pushes_at_start=given.push_at_start,
        host=given.host,
        port=given.port,
    )

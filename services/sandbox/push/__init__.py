"""A sandbox of a system that pushes its customers, such as a marketing system."""

from services.sandbox.push.sandbox import SandboxPush

__all__ = ["SandboxPush"]

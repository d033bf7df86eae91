"""What every worker runs on: consuming, recoverability, relaying, lifecycle."""

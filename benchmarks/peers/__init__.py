"""One tiny job in Celery, Dramatiq, FastStream, Taskiq and on our own machinery, side by side.

Everybody reads the same durable queue type, validates the same bytes with the same model, keeps
the same tables in one transaction, publishes confirmed and mandatory, and acknowledges after that.
The modules `with_*` (but for `with_patron`) run in an environment of their own, `.venv-peers`, in
which there is nothing of the product's.
"""

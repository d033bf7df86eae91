"""The importer's door for what is sent to it: webhooks, and customers that are pushed."""

"""The companies of the B2B Edition: their numbers, locations and buyers."""

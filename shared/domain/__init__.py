"""The domain: what a customer is and what is to become of it. Pure; imports nothing of ours."""

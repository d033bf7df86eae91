"""Systems that push their customers to us over HTTP, instead of being read."""

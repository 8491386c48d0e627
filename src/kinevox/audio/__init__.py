"""Sound in and out, and what can be heard in it."""

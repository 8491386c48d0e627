"""Parts of losses that several methods share."""

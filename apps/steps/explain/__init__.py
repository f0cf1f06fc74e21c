"""A flow in plain words and as a picture, made from its document by rules."""

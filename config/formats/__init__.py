"""How dates and times are written on pages of the server, by language."""

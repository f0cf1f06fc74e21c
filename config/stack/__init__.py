"""The processes Signalbox is made of: how they are started, watched, replaced and stopped.

Nothing in here imports Django: it runs before there is a database, and the supervisor stays small.
"""

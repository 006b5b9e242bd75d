"""The web dashboard: pages over the public REST API, with the credentials of whoever looks.

It asks neither the storage nor the broker: it can do nothing that a user of the API cannot. NiceGUI is loaded when
somebody opens the first page, and not before.
"""

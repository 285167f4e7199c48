"""The programme of a whole city, played over HTTP by the callers that a real one would have.

It talks to the services as strangers do: HTTP, JSON and tokens, nothing else.
"""

"""Kafka: the envelope of events, the relay, consumers, dead letters, topics."""

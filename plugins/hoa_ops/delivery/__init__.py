"""Delivery: messages on their way from the outbox to the people they are for."""

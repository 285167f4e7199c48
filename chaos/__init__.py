"""Faults on purpose: phones post while everything below them is killed, frozen, cut off and slowed down."""

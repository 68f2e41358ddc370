"""The record of what was refused, and to whom."""

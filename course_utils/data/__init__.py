"""Corpora and tasks. All are made here from a seed; nothing is downloaded."""

"""Distillation: a student that learns what one or several teachers say of each word or text."""

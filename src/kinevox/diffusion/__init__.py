"""Diffusion: noise schedules, samplers and guidance, as pure functions."""

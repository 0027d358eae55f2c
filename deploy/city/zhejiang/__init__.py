"""Zhejiang: 1 province, 11 cities, 90 county units; their boundaries, codes and a made-up registry.

The boundaries come from a packaged dependency without a map-review number: show them as a sketch.
"""

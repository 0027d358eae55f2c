"""The second stage: partials of counties become facts of counties, cities and the province.

Pure: messages in, facts and alert transitions out; `streams.storage.region` runs it.
"""

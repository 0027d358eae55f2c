"""FIWARE Smart Data Models as NGSI-LD entities: what maps to what is data, in `models`. Pure."""

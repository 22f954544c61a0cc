"""The old platform: the bus that speaks SOAP, as a back end of the interfaces that it served before."""

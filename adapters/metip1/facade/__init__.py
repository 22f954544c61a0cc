"""The old bus's SOAP services, answered through the typed contracts: a consumer that still speaks SOAP calls as it always did."""

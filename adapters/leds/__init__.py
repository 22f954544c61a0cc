"""LEDS, the successor of the PNC: a second back end of the PNC's contract, over JSON and HTTPS."""

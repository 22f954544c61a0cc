"""The criminal justice systems: cases to the courts, results from them, over the CJS Exchange."""

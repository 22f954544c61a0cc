"""COPA, Case Overview and Prosecutions Application: its adapter and its simulator."""

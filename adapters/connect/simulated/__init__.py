"""What the simulated CONNECT holds, and its rules."""

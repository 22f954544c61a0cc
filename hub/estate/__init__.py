"""What is live: who calls what, which system answers, how fast, what fails and what waits; measured only while somebody looks."""

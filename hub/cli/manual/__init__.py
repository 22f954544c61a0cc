"""The manual: the help of each command, and the same as pages for `man`."""

"""Completion of words in bash, zsh and fish, from files of this installation alone: no mesh is asked, and gRPC is not started."""

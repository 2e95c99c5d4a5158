"""The arguments of every command, one file a group; they import nothing that a command needs."""

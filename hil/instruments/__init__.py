"""What an instrument is on the bench (roles), and one driver a file. Nothing here knows a board."""

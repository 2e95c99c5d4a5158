"""Keys, signatures and whom they are believed from; nothing here knows what a run is."""

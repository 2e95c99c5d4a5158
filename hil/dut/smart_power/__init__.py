"""The Smart Power board: four metered, latched sockets behind one ESP32-S3."""

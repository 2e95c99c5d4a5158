"""What the unit's Ethernet socket is plugged into: link ends, the cable, a managed switch and its SNMP agent."""

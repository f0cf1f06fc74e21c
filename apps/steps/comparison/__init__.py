"""What differs between two versions of a flow, in words and with notes on risk."""

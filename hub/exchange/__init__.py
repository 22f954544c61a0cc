"""The exchange: messages accepted durably, delivered in order, never lost, never silently doubled."""

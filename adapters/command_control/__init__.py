"""Command and Control: incidents passed between control rooms by the Multi Agency Incident Transfer standard."""

"""The access policy as a file: read and judged, compared with another, approved by a second person, and in force or waiting."""

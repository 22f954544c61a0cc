"""National Footwear Database: impressions of detained people's footwear."""

"""Results for other programs: Fiji, Picasso, spreadsheets."""

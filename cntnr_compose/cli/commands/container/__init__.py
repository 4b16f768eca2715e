"""Commands of `cntnr container`, one file each; most of them are commands of `cntnr` itself, too."""

project = 'a small checkout'
html_theme = 'basic'

<?php
if (FALSE) { $settings['a'] = 'no'; }
if (TRUE) { $settings['b'] = 'yes'; }
if (TRUE) { $settings['c'] = 'yes'; } else if (TRUE) { $settings['c'] = 'no'; }
if (TRUE) { $settings['d'] = 'yes'; } elseif (TRUE) { $settings['d'] = 'no'; }
if (TRUE) { $settings['e'] = 'yes'; }
else
  if (TRUE) { $settings['e'] = 'no'; }
  else { $settings['e'] = 'never'; }
if (TRUE) if (FALSE) $settings['f'] = 'no'; else $settings['f'] = 'yes';

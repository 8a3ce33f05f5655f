<?php
$settings['a'] = 'first';
if (rand(0, 1)) {
  $settings['a'] = 'second';
  $settings['only'] = 'maybe';
}
elseif (PHP_SAPI == 'cli') { $settings['a'] = 'third'; }
else { $settings['a'] = 'last'; }
if (FALSE) { $settings['never'] = 1; }
if (TRUE): $settings['always'] = 1; elseif (TRUE): $settings['never'] = 2; else: $settings['never'] = 3; endif;
if (isset($settings['a']['x']) and 0) $settings['never'] = 4; else $settings['b'] = 'else';
$settings['copy'] = $settings['a'];
$x = 1; if (rand(0, 1)) $x = 2; $settings['x'] = $x;
$settings['c'] = 'reset'; if (rand()) { $settings['c'] = 'maybe'; } $settings['c'] = 'sure';

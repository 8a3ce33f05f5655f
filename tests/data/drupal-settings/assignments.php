<?php
$a = $b = 'both'; $settings['a'] = $a; $settings['b'] = $b;
$settings['c'] = 'x'; $settings['c'] .= 'y'; $settings['d'] = 1; $settings['d'] += 2;
$settings['e'] ??= 'set'; $settings['c'] ??= 'not';
[$p, $q] = ['list', 'of']; $settings['p'] = $p;
list('k' => $k) = ['k' => 'v']; $settings['k'] = $k;
if ($host = getenv('H')) { $settings['h'] = $host; }
$settings['t'] = getenv('H') ? 'yes' : 'no';

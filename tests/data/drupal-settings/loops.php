<?php
for ($i = 0; $i < 3; $i++) { $settings['servers'][] = "10.0.0.$i"; }
while (rand(0, 1)) { $settings['spin'] = 'x'; }
foreach (['redis1', 'redis2'] as $n => $host) { $settings['hosts'][] = "tcp://$host:" . (6379 + $n); }
foreach (glob(__DIR__ . '/conf.d/*.php') as $file) { include $file; }
foreach ([1, 2, 3] as $n) { if ($n == 2) { continue; } $settings['n'][] = $n; }
do { $settings['once'] = 1; } while (FALSE);

<?php
function setup() { global $databases; $databases['default']['default']['host'] = 'from-function'; }
$databases['default']['default'] = ['driver' => 'mysql', 'host' => 'literal'];
$settings['fine'] = call_user_func(function ($x) { return $x; }, 1);
$settings['arrow'] = (fn($x) => $settings['never'] = $x)(1);
setup();

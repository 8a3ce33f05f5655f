<?php
$settings['a'] = ['x' => 1]; $settings['b'] = 2;
$ref = &$settings['a'];
$ref['x'] = 5;
some_function($settings['b']);
$config['c'] = 1;
some_function($config);
$conf['ok'] = in_array('x', ['x', 'y'], TRUE);

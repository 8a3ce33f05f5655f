<?php
$settings['a'] = 60 * 60 * 24; $settings['b'] = 1 + 2 * 3 - 4; $settings['c'] = (1 + 2) * 3; $settings['d'] = -5;
$settings['e'] = 10 / 4; $settings['f'] = 1.5; $settings['g'] = 'a' . 1 + 2; $settings['h'] = 1_000; $settings['i'] = 017;
$settings['j'] = 9223372036854775808; $settings['k'] = 0b11; $settings['l'] = 1e3; $settings['m'] = .5; $settings['n'] = 2 ** 3;

<?php
$settings['k'] = ['1' => 'int', 1.7 => 'trunc', true => 'one', null => 'empty', '08' => 'string', -3 => 'minus', 5 => 'five', 'next', '5' => 'again'];
$settings['list'] = ['a', 'b', 10 => 'c', 'd',];
$settings['dyn'] = ['a' => 1, $unknown => 2];
$settings['spread'] = ['z', ...['y', 'x'], ...['named' => 'n']];
$settings[$unknown2] = 'anything';

<?php
$dir = "$app_root/$site_path";
$settings['file_private_path'] = "{$dir}/private";
$keys = ['a' => ['b' => 'deep'], 3 => 'three'];
$settings['deep'] = "x{$keys['a']['b']}y${dir}{$keys[3]}";
$settings['unknown'] = "x{$keys['a']->b}";
$settings['index'] = "$keys[3]";

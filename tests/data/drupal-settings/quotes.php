<?php
$settings['single'] = 'it\'s a \\ and \n and \$x and "double"';
$settings['double'] = "tab\there \"quoted\" \$notvar \x41 \101 \u{1F4A7} it's { \{ $ \q";
$settings['comment_like'] = 'a # b // c /* d */ e';
$settings['multi'] = 'line one
line two';
$settings['empty'] = '';
$settings['semicolon'] = ';';
$settings['bytes'] = "\xff\xfe";
$settings['binary'] = b'old';

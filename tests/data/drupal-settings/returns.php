<?php
$settings['a'] = 1;
if (getenv('SKIP')) {
  return;
}
$settings['b'] = 2;
return;
$settings['c'] = 3;

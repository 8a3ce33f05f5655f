<?php
$settings['kept'] = 1;
$which = 'chosen';
$settings[$which]['x'] = 2;
$settings["{$which}_b"] = 3;

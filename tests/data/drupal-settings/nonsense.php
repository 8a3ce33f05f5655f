<?php
$settings['before'] = 1;
$settings['odd'] = = 3;
goto end;
$databases['x'] = ['y' => 'z';
$settings['after'] = 2;

<?php
$databases['default']['default'] = ['driver' => 'mysql'];
$databases['default']['default']['database'] = 'one';
$databases['default']['default']['database'] = 'two';
$databases['default']["default"]['host'] = 'h' . '1';
$databases['default']['default']['init_commands']['big_selects'] = 'SET SQL_BIG_SELECTS=1';
$databases['default']['default']['port'] = 0xCEA;
unset($databases['default']['default']['init_commands']);

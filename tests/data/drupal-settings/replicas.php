<?php
$databases['default']['default'] = ['driver' => 'mysql', 'database' => 'd', 'username' => 'u', 'password' => 'secret-14', 'host' => 'primary', 'prefix' => ''];
$databases['default']['replica'][] = ['host' => 'r1'] + $databases['default']['default'];
$databases['default']['replica'][] = array_merge($databases['default']['default'], ['host' => 'r2', 'port' => 3307]);
$databases['legacy']['default'] = ['driver' => 'pgsql', 'database' => 'old', 'host' => '/run/postgresql'];

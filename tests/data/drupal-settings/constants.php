<?php
define('SITE_DB', 'constant_db');
const SITE_HOST = 'constant_host', SITE_PORT = 3310;
$databases['default']['default'] = ['driver' => 'mysql', 'database' => SITE_DB, 'host' => \SITE_HOST, 'port' => SITE_PORT, 'username' => UNDEFINED_ONE, 'charset' => NULL];
$settings['classes'] = [\Drupal\Core\Site\Settings::class, PHP_EOL, DIRECTORY_SEPARATOR];
$settings['flags'] = [True, false, NuLL];

<?php
$databases['default']['default'] = ['driver' => 'mysql', 'database' => 'live', 'host' => 'live-db', 'password' => 'secret-10'];
if (getenv('IS_DDEV_PROJECT') == 'true' && is_readable($app_root . '/' . $site_path . '/settings.ddev.php')) {
  include $app_root . '/' . $site_path . '/settings.ddev.php';
}
